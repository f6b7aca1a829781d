// swift-tools-version: 6.2
import PackageDescription

// Continuous integration turns every warning into an error; a user's newer compiler must not.
let isStrict = Context.environment["ENVELOPE_STRICT"] != nil
// With the checks of the standard library that an optimized program lacks. Tests/run takes two thirds of the time so.
let isOptimized = Context.environment["ENVELOPE_OPTIMIZED"] != nil

let package = Package(
  name: "EnvelopeKit",
  platforms: [.macOS(.v15)],
  products: [
    .library(name: "EnvelopeKit", targets: ["EnvelopeKit"]),
    .library(name: "EnvelopeKitFiles", targets: ["EnvelopeKitFiles"]),
    .library(name: "EnvelopeKitArchives", targets: ["EnvelopeKitArchives"]),
    .library(name: "EnvelopeKitFoundation", targets: ["EnvelopeKitFoundation"]),
    .library(name: "EnvelopeKitAWS", targets: ["EnvelopeKitAWS"]),
    .library(name: "EnvelopeKitTelemetry", targets: ["EnvelopeKitTelemetry"]),
    .library(name: "EnvelopeKitTesting", targets: ["EnvelopeKitTesting"]),
    .executable(name: "envelope", targets: ["EnvelopeTool"]),
  ],
  traits: [
    .trait(name: "AWS", description: "Builds EnvelopeKitAWS and the command's AWS KMS, on async-http-client."),
    .trait(name: "Archives", description: "Builds EnvelopeKitArchives, zip archives in sealed files, on zlib."),
    .trait(
      name: "Telemetry",
      description: "Builds EnvelopeKitTelemetry, sealed logs and traces, on swift-log and swift-distributed-tracing."),
    .trait(
      name: "CommandLine", description: "Builds the command `envelope`, with its argument parser and libyaml.",
      enabledTraits: ["Archives"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
    .package(url: "https://github.com/apple/swift-distributed-tracing", from: "1.7.3"),
    .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
    .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.6"),
    .package(url: "https://github.com/swift-server/async-http-client", from: "1.37.0"),
  ],
  targets: [
    .systemLibrary(
      name: "CLibsodium",
      pkgConfig: "libsodium",
      providers: [.apt(["libsodium-dev"]), .brew(["libsodium"])]
    ),
    .systemLibrary(name: "CSystemCalls"),
    .systemLibrary(
      name: "CYAML", pkgConfig: "yaml-0.1", providers: [.apt(["libyaml-dev"]), .brew(["libyaml"])]),
    .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
    .target(name: "EnvelopeKit", dependencies: ["CLibsodium"]),
    .target(name: "EnvelopeKitFiles", dependencies: ["EnvelopeKit", "CSystemCalls"]),
    .target(
      name: "EnvelopeKitArchives",
      dependencies: [
        // First, as libyaml for the command.
        .target(name: "CZlib", condition: .when(traits: ["Archives"])), "EnvelopeKit", "EnvelopeKitFiles",
      ]
    ),
    .target(name: "EnvelopeKitFoundation", dependencies: ["EnvelopeKit"]),
    .target(
      name: "EnvelopeKitAWS",
      dependencies: [
        "EnvelopeKit",
        "EnvelopeKitFiles",
        .product(name: "AsyncHTTPClient", package: "async-http-client", condition: .when(traits: ["AWS"])),
        .product(name: "NIOCore", package: "swift-nio", condition: .when(traits: ["AWS"])),
        .product(name: "NIOHTTP1", package: "swift-nio", condition: .when(traits: ["AWS"])),
        .product(name: "NIOPosix", package: "swift-nio", condition: .when(traits: ["AWS"])),
        .product(name: "NIOSSL", package: "swift-nio-ssl", condition: .when(traits: ["AWS"])),
      ]
    ),
    .target(
      name: "EnvelopeKitTelemetry",
      dependencies: [
        "EnvelopeKit",
        "EnvelopeKitFiles",
        .product(name: "Logging", package: "swift-log", condition: .when(traits: ["Telemetry"])),
        .product(name: "Tracing", package: "swift-distributed-tracing", condition: .when(traits: ["Telemetry"])),
      ]
    ),
    .target(name: "EnvelopeKitTesting", dependencies: ["EnvelopeKit"]),
    .executableTarget(
      name: "EnvelopeTool",
      dependencies: [
        // First, so that the linker searches libyaml's folder last: the system's libsodium is there, too.
        .target(name: "CYAML", condition: .when(traits: ["CommandLine"])),
        "EnvelopeKitArchives",
        "EnvelopeKit",
        "EnvelopeKitAWS",
        "EnvelopeKitFiles",
        .product(
          name: "ArgumentParser", package: "swift-argument-parser", condition: .when(traits: ["CommandLine"])),
      ]
    ),
    .target(name: "TestSupport", dependencies: ["EnvelopeKit"], path: "Tests/TestSupport"),
    .testTarget(
      name: "EnvelopeKitTests",
      dependencies: ["EnvelopeKit", "EnvelopeKitTesting", "TestSupport"]),
    .testTarget(
      name: "EnvelopeKitFilesTests",
      dependencies: ["CSystemCalls", "EnvelopeKit", "EnvelopeKitFiles", "TestSupport"]),
    .testTarget(
      name: "EnvelopeKitArchivesTests",
      dependencies: ["EnvelopeKit", "EnvelopeKitArchives", "EnvelopeKitFiles", "TestSupport"]),
    .testTarget(name: "EnvelopeKitFoundationTests", dependencies: ["EnvelopeKit", "EnvelopeKitFoundation"]),
    .testTarget(
      name: "EnvelopeKitAWSTests",
      dependencies: ["EnvelopeKit", "EnvelopeKitAWS", "EnvelopeKitTesting", "TestSupport"]),
    .executableTarget(
      name: "LogService",
      dependencies: [
        "EnvelopeKit", "EnvelopeKitTelemetry",
        .product(name: "Logging", package: "swift-log", condition: .when(traits: ["Telemetry"])),
        .product(name: "Tracing", package: "swift-distributed-tracing", condition: .when(traits: ["Telemetry"])),
      ],
      path: "Tests/LogService"
    ),
    .testTarget(
      name: "EnvelopeKitTelemetryTests",
      dependencies: [
        "EnvelopeKit", "EnvelopeKitFiles", "EnvelopeKitTelemetry", "EnvelopeKitTesting", "LogService", "TestSupport",
        .product(name: "Logging", package: "swift-log", condition: .when(traits: ["Telemetry"])),
        .product(name: "Tracing", package: "swift-distributed-tracing", condition: .when(traits: ["Telemetry"])),
      ]),
    .testTarget(name: "EnvelopeKitTestingTests", dependencies: ["EnvelopeKit", "EnvelopeKitTesting", "TestSupport"]),
    .testTarget(
      name: "EnvelopeToolTests",
      dependencies: [
        "EnvelopeKit", "EnvelopeKitFiles", "EnvelopeTool", "LogService", "TestSupport",
        .product(
          name: "ArgumentParser", package: "swift-argument-parser", condition: .when(traits: ["CommandLine"])),
      ]
    ),
  ]
)

// Tests/sanitizers and Tests/second-libsodium build only the test targets that they run, and what these need.
if let tests = Context.environment["ENVELOPE_TEST_TARGETS"] {
  var needed: Set<String> = []
  var names = tests.split(separator: " ").map(String.init)
  while let name = names.popLast() {
    guard needed.insert(name).inserted, let target = package.targets.first(where: { $0.name == name }) else { continue }
    for dependency in target.dependencies {
      switch dependency {
      case .targetItem(let name, _), .byNameItem(let name, _): names.append(name)
      default: break
      }
    }
  }
  package.targets.removeAll { !needed.contains($0.name) }
  package.products = []
}

for target in package.targets where target.type != .system {
  target.swiftSettings = [
    .strictMemorySafety(),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
  ]
  if isStrict { target.swiftSettings?.append(.treatAllWarnings(as: .error)) }
  if isOptimized, target.type != .test {
    target.swiftSettings?.append(.unsafeFlags(["-O", "-assert-config", "Debug"]))
  }
}
