// swift-tools-version: 6.2
import PackageDescription

// The code that the pages show. Continuous integration builds it and runs it.
let package = Package(
  name: "Examples",
  platforms: [.macOS(.v15)],
  dependencies: [
    .package(name: "EnvelopeKit", path: "../..", traits: ["Archives", "Telemetry"]),
    .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
    .package(url: "https://github.com/apple/swift-distributed-tracing", from: "1.7.3"),
  ],
  targets: [
    .executableTarget(
      name: "Handler",
      dependencies: [
        .product(name: "EnvelopeKit", package: "EnvelopeKit"),
        .product(name: "EnvelopeKitFiles", package: "EnvelopeKit"),
      ]),
    .executableTarget(
      name: "Keys",
      dependencies: [
        .product(name: "EnvelopeKit", package: "EnvelopeKit"),
        .product(name: "EnvelopeKitFiles", package: "EnvelopeKit"),
      ]),
    .executableTarget(
      name: "Files",
      dependencies: [
        .product(name: "EnvelopeKit", package: "EnvelopeKit"),
        .product(name: "EnvelopeKitFiles", package: "EnvelopeKit"),
      ]),
    .executableTarget(
      name: "Layers",
      dependencies: [
        .product(name: "EnvelopeKit", package: "EnvelopeKit"),
        .product(name: "EnvelopeKitArchives", package: "EnvelopeKit"),
        .product(name: "EnvelopeKitFiles", package: "EnvelopeKit"),
      ]),
    .executableTarget(
      name: "Logs",
      dependencies: [
        .product(name: "EnvelopeKit", package: "EnvelopeKit"),
        .product(name: "EnvelopeKitFiles", package: "EnvelopeKit"),
        .product(name: "EnvelopeKitTelemetry", package: "EnvelopeKit"),
        .product(name: "Logging", package: "swift-log"),
        .product(name: "Tracing", package: "swift-distributed-tracing"),
      ]),
    .executableTarget(
      name: "Values",
      dependencies: [
        .product(name: "EnvelopeKit", package: "EnvelopeKit"),
        .product(name: "EnvelopeKitFiles", package: "EnvelopeKit"),
        .product(name: "EnvelopeKitFoundation", package: "EnvelopeKit"),
      ]),
  ]
)
