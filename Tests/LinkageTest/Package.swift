// swift-tools-version: 6.2
import PackageDescription

// A program that imports EnvelopeKit alone: it must resolve no other package and link no Foundation.
let package = Package(
  name: "LinkageTest",
  platforms: [.macOS(.v15)],
  dependencies: [.package(name: "EnvelopeKit", path: "../..")],
  targets: [
    .executableTarget(
      name: "LinkageTest",
      dependencies: [.product(name: "EnvelopeKit", package: "EnvelopeKit")])
  ]
)
