// swift-tools-version: 6.2
import PackageDescription

// Continuous integration turns every warning into an error; a user's newer compiler must not.
let isStrict = Context.environment["ENVELOPE_STRICT"] != nil

let package = Package(
  name: "EnvelopeKit",
  platforms: [.macOS(.v15)],
  products: [
    .library(name: "EnvelopeKit", targets: ["EnvelopeKit"]),
    .library(name: "EnvelopeKitFiles", targets: ["EnvelopeKitFiles"]),
    .library(name: "EnvelopeKitFoundation", targets: ["EnvelopeKitFoundation"]),
    .executable(name: "envelope", targets: ["EnvelopeTool"]),
  ],
  traits: [
    .trait(name: "CommandLine", description: "Builds the command `envelope`, with its argument and YAML parsers.")
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
  ],
  targets: [
    .systemLibrary(
      name: "CLibsodium",
      pkgConfig: "libsodium",
      providers: [.apt(["libsodium-dev"]), .brew(["libsodium"])]
    ),
    .target(name: "EnvelopeKit", dependencies: ["CLibsodium"]),
    .target(name: "EnvelopeKitFiles", dependencies: ["EnvelopeKit"]),
    .target(name: "EnvelopeKitFoundation", dependencies: ["EnvelopeKit"]),
    .executableTarget(
      name: "EnvelopeTool",
      dependencies: [
        "EnvelopeKit",
        "EnvelopeKitFiles",
        .product(
          name: "ArgumentParser", package: "swift-argument-parser", condition: .when(traits: ["CommandLine"])),
        .product(name: "Yams", package: "Yams", condition: .when(traits: ["CommandLine"])),
      ]
    ),
    .target(name: "TestSupport", path: "Tests/TestSupport"),
    .testTarget(name: "EnvelopeKitTests", dependencies: ["EnvelopeKit", "TestSupport"]),
    .testTarget(name: "EnvelopeKitFilesTests", dependencies: ["EnvelopeKit", "EnvelopeKitFiles", "TestSupport"]),
    .testTarget(name: "EnvelopeKitFoundationTests", dependencies: ["EnvelopeKit", "EnvelopeKitFoundation"]),
    .testTarget(
      name: "EnvelopeToolTests",
      dependencies: [
        "EnvelopeKit", "EnvelopeKitFiles", "EnvelopeTool", "TestSupport",
        .product(
          name: "ArgumentParser", package: "swift-argument-parser", condition: .when(traits: ["CommandLine"])),
      ]
    ),
  ]
)

for target in package.targets where target.type != .system {
  target.swiftSettings = [
    .strictMemorySafety(),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
  ]
  if isStrict { target.swiftSettings?.append(.treatAllWarnings(as: .error)) }
}
