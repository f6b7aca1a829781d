// swift-tools-version: 6.2
import PackageDescription

// A package of its own: a plain `swift build` cannot link a fuzzer, which has no `main`. The readers under test are
// compiled here, through the link `Library`, so that they are instrumented, and internal and `package` declarations
// are in reach; of the add-ons only the folders that read bytes, so that no network library is built.
let readers: [Target] = [
  .systemLibrary(
    name: "CLibsodium", path: "Library/CLibsodium", pkgConfig: "libsodium",
    providers: [.apt(["libsodium-dev"]), .brew(["libsodium"])]),
  .target(name: "EnvelopeKit", dependencies: ["CLibsodium"], path: "Library/EnvelopeKit"),
  .systemLibrary(name: "CSystemCalls", path: "Library/CSystemCalls"),
  .systemLibrary(
    name: "CYAML", path: "Library/CYAML", pkgConfig: "yaml-0.1",
    providers: [.apt(["libyaml-dev"]), .brew(["libyaml"])]),
  .target(
    name: "EnvelopeKitFiles", dependencies: ["CSystemCalls", "EnvelopeKit"], path: "Library/EnvelopeKitFiles"),
  .systemLibrary(name: "CZlib", path: "Library/CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
  .target(
    name: "EnvelopeKitArchives", dependencies: ["CZlib", "EnvelopeKit", "EnvelopeKitFiles"],
    path: "Library/EnvelopeKitArchives", swiftSettings: [.define("Archives")]),
  .target(
    name: "EnvelopeKitAWS", dependencies: ["EnvelopeKit", "EnvelopeKitFiles"], path: "Library/EnvelopeKitAWS",
    sources: [
      "Client/Endpoint.swift", "Client/JSONMembers.swift", "Client/KMSAnswer.swift",
      "Client/KMSAnswer+Operations.swift", "Client/HTTPDate.swift", "Client/KMSFailure.swift",
      "Client/ServiceFailure.swift", "Credentials/SharedFile.swift", "Credentials/SharedFileReader.swift",
      "Credentials/XMLElements.swift", "Keyring/KMSKeyName.swift",
    ],
    swiftSettings: [.define("AWS")]),
  .target(
    name: "EnvelopeTool",
    dependencies: ["CYAML", "EnvelopeKit", "EnvelopeKitFiles"],
    path: "Library/EnvelopeTool", sources: ["Configuration", "Logs/Input", "Text", "Console/ExitStatus.swift"],
    swiftSettings: [.define("CommandLine")]),
  .target(name: "Fuzzing", dependencies: ["CLibsodium", "EnvelopeKit"]),
]

func fuzzer(_ name: String, reading module: String...) -> Target {
  .executableTarget(
    name: name, dependencies: ["EnvelopeKit", "Fuzzing"] + module.map { .byName(name: $0) },
    swiftSettings: [.unsafeFlags(["-parse-as-library"])])
}

let package = Package(
  name: "Fuzz",
  platforms: [.macOS("26.0")],
  targets: readers + [
    fuzzer("ValueFuzzer"),
    fuzzer("StreamFuzzer"),
    fuzzer("SealedFileFuzzer", reading: "EnvelopeKitFiles"),
    fuzzer("EnvironmentFuzzer"),
    fuzzer("PackedFuzzer"),
    fuzzer("KeyStoreFuzzer"),
    fuzzer("RecipientFuzzer"),
    fuzzer("DotenvFuzzer", reading: "EnvelopeTool"),
    fuzzer("VariablesJSONFuzzer", reading: "EnvelopeTool"),
    fuzzer("ConfigurationFuzzer", reading: "EnvelopeTool"),
    fuzzer("ExportFuzzer", reading: "EnvelopeTool"),
    fuzzer("RecordLineFuzzer"),
    fuzzer("KMSAnswerFuzzer", reading: "EnvelopeKitAWS"),
    fuzzer("SharedFileFuzzer", reading: "EnvelopeKitAWS", "EnvelopeKitFiles"),
    fuzzer("AuditLogFuzzer", reading: "EnvelopeKitFiles"),
    fuzzer("ArchiveFuzzer", reading: "EnvelopeKitArchives", "EnvelopeKitFiles"),
  ]
)

for target in package.targets where target.type != .system {
  target.swiftSettings =
    (target.swiftSettings ?? []) + [
      .strictMemorySafety(),
      .enableUpcomingFeature("ExistentialAny"),
      .enableUpcomingFeature("InternalImportsByDefault"),
      .enableUpcomingFeature("MemberImportVisibility"),
      .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
      .unsafeFlags(["-enable-testing"]),
    ]
}
