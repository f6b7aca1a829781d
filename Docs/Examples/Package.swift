// swift-tools-version: 6.2
import PackageDescription

// The code that the pages show. Continuous integration builds it and runs it.
let package = Package(
  name: "Examples",
  platforms: [.macOS(.v15)],
  dependencies: [.package(name: "EnvelopeKit", path: "../..", traits: ["Archives"])],
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
      name: "Values",
      dependencies: [
        .product(name: "EnvelopeKit", package: "EnvelopeKit"),
        .product(name: "EnvelopeKitFiles", package: "EnvelopeKit"),
        .product(name: "EnvelopeKitFoundation", package: "EnvelopeKit"),
      ]),
  ]
)
