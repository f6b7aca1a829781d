// swift-tools-version: 6.2
import PackageDescription

// A package of its own, so that users of EnvelopeKit never resolve what it is measured with.

// No threshold needs swift-crypto, and its build takes minutes.
let measuresSwiftCrypto = Context.environment["MEASURES_SWIFT_CRYPTO"] != nil

let package = Package(
  name: "Benchmarks",
  platforms: [.macOS(.v15)],
  dependencies: [
    .package(name: "EnvelopeKit", path: "..", traits: ["Archives", "Telemetry"]),
    .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
    .package(url: "https://github.com/ordo-one/benchmark", from: "1.38.1", traits: []),
  ] + (measuresSwiftCrypto ? [.package(url: "https://github.com/apple/swift-crypto", from: "4.5.2")] : []),
  targets: [
    // The same C library as EnvelopeKit's, for the plain calls that it is measured against.
    .systemLibrary(
      name: "CSodium", path: "CSodium", pkgConfig: "libsodium",
      providers: [.apt(["libsodium-dev"]), .brew(["libsodium"])]),
    .target(name: "CAllocations", path: "CAllocations"),
    .executableTarget(
      name: "HotPath",
      dependencies: [
        "CAllocations", "CSodium",
        .product(name: "EnvelopeKit", package: "EnvelopeKit"),
        .product(name: "EnvelopeKitArchives", package: "EnvelopeKit"),
        .product(name: "EnvelopeKitFiles", package: "EnvelopeKit"),
        .product(name: "EnvelopeKitTelemetry", package: "EnvelopeKit"),
        .product(name: "Logging", package: "swift-log"),
        .product(name: "Benchmark", package: "benchmark"),
      ] + (measuresSwiftCrypto ? [.product(name: "Crypto", package: "swift-crypto")] : []),
      path: "HotPath",
      plugins: [.plugin(name: "BenchmarkPlugin", package: "benchmark")]
    ),
    .executableTarget(
      name: "Probe",
      dependencies: [
        .product(name: "EnvelopeKit", package: "EnvelopeKit"),
        .product(name: "EnvelopeKitFiles", package: "EnvelopeKit"),
      ],
      path: "Probe"
    ),
  ]
)

for target in package.targets where target.type != .system && target.type != .plugin {
  target.swiftSettings = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
  ]
}
for target in package.targets where target.name == "HotPath" && measuresSwiftCrypto {
  target.swiftSettings?.append(.define("MEASURES_SWIFT_CRYPTO"))
}
