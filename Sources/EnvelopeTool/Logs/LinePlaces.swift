// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import EnvelopeKit

/// Where the lines that a ``RecordReader`` counts stand in the files that they were read from.
struct LinePlaces {
  /// A line of a file, or an event of exported JSON.
  struct Place: Equatable {
    let file: String
    let number: Int
    let isEvent: Bool

    /// The place at the beginning of a message.
    var text: String { isEvent ? "\(file.shownInput), event \(number)" : "\(file.shownInput):\(number)" }
  }

  /// Lines that follow each other in a file as they do for the reader.
  private struct Run {
    let start: Int
    let file: Int
    let number: Int
    let isEvent: Bool
  }

  private var files: [String] = []
  private var runs: [Run] = []

  mutating func begin(_ file: String) { files.append(file) }

  /// Notes where the next line that the reader counts stands.
  mutating func note(_ line: LogInput.Line, at readerLine: Int) -> Place {
    let file = files.count - 1
    if let run = runs.last, run.file == file, run.isEvent == line.isEvent,
      run.number + (readerLine - run.start) == line.number
    {
      return Place(file: files[file], number: line.number, isEvent: line.isEvent)
    }
    if runs.last?.start == readerLine { runs.removeLast() }
    runs.append(Run(start: readerLine, file: file, number: line.number, isEvent: line.isEvent))
    return place(of: readerLine)
  }

  /// The place of a line that the reader counted.
  func place(of readerLine: Int) -> Place {
    var (low, high) = (0, runs.count)
    while low < high {
      let middle = (low + high) / 2
      if runs[middle].start <= readerLine { low = middle + 1 } else { high = middle }
    }
    guard low > 0 else { return Place(file: files.first ?? "-", number: 1, isEvent: false) }
    let run = runs[low - 1]
    return Place(file: files[run.file], number: run.number + readerLine - run.start, isEvent: run.isEvent)
  }
}
