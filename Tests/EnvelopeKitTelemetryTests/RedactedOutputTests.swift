// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

#if Telemetry && os(Linux)
  import EnvelopeKit
  import EnvelopeKitTelemetry
  import Foundation
  import Logging
  import TestSupport
  import Testing

  /// A secret that is logged by mistake, in any form and place, is in no byte that the process writes.
  @Suite(.timeLimit(.minutes(20))) struct RedactedOutputTests {
    /// Secrets of which every part of four bytes occurs nowhere else, with bytes that encoders escape.
    static let secrets = [
      "PLAIN": "Zq7vXk2mJw9tRb4n", "QUOTED": "Qw\"Vz'Yx\\Kj`Pz$Gf!", "UNICODE": "ñÜßЖ漢字🔑ŁøΩ→",
      "URL": "u7//%Kz+=&?#Jx9~;Zp",
      "LINES": "Mx4zzLine0fOneKey42\nNx5zzLine0fTwoKey43\nPx6zzLine0fXY",
    ]

    /// The written forms of a secret.
    static func forms(_ secret: String) -> [String] {
      let bytes = Array(secret.utf8)
      var forms = [secret, bytes.map { hex($0) }.joined(), bytes.map { hex($0).uppercased() }.joined()]
      forms += [false, true].map { isUpper in bytes.map { "%" + (isUpper ? hex($0).uppercased() : hex($0)) }.joined() }
      forms.append(secret.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? "")
      forms.append(secret.addingPercentEncoding(withAllowedCharacters: .urlPathAllowed) ?? "")
      for before in 0..<3 {
        let text = Data(Array("abc".utf8.prefix(before)) + bytes).base64EncodedString()
        forms += [text, text.replacing("+", with: "-").replacing("/", with: "_"), text.replacing("=", with: "")]
      }
      let json = (try? JSONEncoder().encode(secret)).map { String(decoding: $0, as: UTF8.self) } ?? ""
      forms += [json, json.replacing("\\/", with: "/"), secret.debugDescription, "\([secret])"]
      forms.append(
        secret.utf16.map { $0 < 0x80 ? String(UnicodeScalar(UInt8($0))) : "\\u" + String(format: "%04x", $0) }.joined()
          .replacing("\n", with: "\\n"))
      forms.append(secret.replacing("'", with: "'\\''"))
      forms.append(
        secret.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"").replacing("$", with: "\\$")
          .replacing("`", with: "\\`"))
      return forms
    }

    private static func hex(_ byte: UInt8) -> String { String(format: "%02x", byte) }

    /// Parts of a form that must not be found: every eight bytes but those at the ends, of which some characters may
    /// stand for neighbours.
    private static func parts(of form: String) -> [ArraySlice<UInt8>] {
      let bytes = Array(form.utf8)
      return (2...max(bytes.count - 10, 2)).compactMap { $0 + 8 <= bytes.count - 2 ? bytes[$0..<$0 + 8] : nil }
    }

    @Test func noByteOfASecretIsWritten() async throws {
      let result = await #expect(
        processExitsWith: .success, observing: [\.standardOutputContent, \.standardErrorContent]
      ) {
        let redactor = try Redactor(OpenedEnvironment(RedactedOutputTests.secrets))
        LoggingSystem.bootstrap(
          { label, provider in
            var both = MultiplexLogHandler([
              StreamLogHandler.standardOutput(label: label, metadataProvider: provider),
              StreamLogHandler.standardError(label: label, metadataProvider: provider),
            ])
            both.logLevel = .trace
            return RedactingLogHandler(both, redactor: redactor)
          }, metadataProvider: Logger.MetadataProvider { ["provided": "\(RedactedOutputTests.secrets["PLAIN"] ?? "")"] }
        )
        // A description without quotation marks: a form of a form is out of reach.
        struct Failure: Error, CustomStringConvertible {
          let text: String
          var description: String { text }
        }
        struct Reflected: Error { let text: String }
        for secret in RedactedOutputTests.secrets.values {
          for text in [secret, String(decoding: try JSONEncoder().encode([secret]), as: UTF8.self)] {
            Logger(label: "test").error("m", error: Reflected(text: text), metadata: ["n": ["\([text])"]])
          }
          for form in RedactedOutputTests.forms(secret) {
            var logger = Logger(label: "test")
            logger.info("record: \(form).")
            logger.info(
              "m", metadata: ["a": "\(form)", "b": ["c": [.string(form)]], "k \(form)": .stringConvertible(form)])
            let half = form.index(form.startIndex, offsetBy: form.count / 2)
            logger.info("\(form[..<half])", metadata: ["a": "\(form[half...])"])
            logger.info("m", metadata: ["a": "\(form[..<half])", "b": "\(form[half...])"])
            logger.error("m", error: Failure(text: form))
            logger[metadataKey: "own"] = .string(form)
            logger.info("m", source: form)
            logger.info("end of a record")
          }
        }
      }
      let written = try #require(result)
      for output in [written.standardOutputContent, written.standardErrorContent] {
        let text = String(decoding: output, as: UTF8.self)
        #expect(text.components(separatedBy: "end of a record").count > 80)
        let windows = Set(output.indices.dropLast(7).map { output[$0..<$0 + 8] })
        for (name, secret) in Self.secrets {
          #expect(text.contains("[redacted:\(name)]"))
          for form in Self.forms(secret) {
            for part in Self.parts(of: form) where windows.contains(part) {
              Issue.record("\(String(decoding: part, as: UTF8.self)) of \(form)")
            }
          }
        }
      }
    }
  }
#endif
