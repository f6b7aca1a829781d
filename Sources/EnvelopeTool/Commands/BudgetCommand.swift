// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

#if CommandLine
  import ArgumentParser
  import EnvelopeKit

  struct BudgetCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "budget",
      abstract: "Show how many of AWS Lambda's 4,096 bytes the variables take.",
      discussion: """
        Bytes are counted as the platform counts them, on the JSON of all variables. No key is needed. Beneath the variable that holds the header is what each key takes of it.

        EXAMPLE
          envelope budget checkout.env
        """)

    @Argument(help: "A file with variables, sealed or not; - is standard input.", completion: .file())
    var file: String

    func run() throws {
      let budget = try Budget(Document.read(file))
      var text = ""
      for cost in budget.costs.sorted(by: { $0.byteCount > $1.byteCount }) {
        text += Self.line(cost.byteCount, cost.name, width: 7)
        guard [VariableName.header, VariableName.sealed].contains(cost.name) else { continue }
        for key in budget.keyCosts { text += Self.line(key.byteCount, "of these for \(key.name)", width: 14) }
      }
      text += "\(budget.byteCount) of \(LambdaLimits.byteLimit) bytes, "
      text +=
        budget.freeByteCount < 0
        ? "\(-budget.freeByteCount) too many\n"
        : "room for \(budget.roomForMore) more (sealed, 12-character names, 20-byte values)\n"
      try Console.write(text)
    }

    private static func line(_ byteCount: Int, _ name: String, width: Int) -> String {
      let number = String(byteCount)
      return String(repeating: " ", count: max(0, width - number.count)) + number + "  " + name + "\n"
    }
  }
#endif
