// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

#if Telemetry
  internal import Tracing

  /// The `cause` object of a span that recorded errors or failed with a message.
  struct FailureCause {
    private var exceptions: [UInt8] = []
    /// The errors that the object does not show in full.
    private(set) var rest: [SpanRecording.Failure] = []

    init(_ recording: SpanRecording) {
      var json = JSONText()
      if let status = recording.status, status.code == .error, let message = status.message {
        Self.append(type: nil, message: message, to: &json)
      }
      for failure in recording.failures {
        var one = JSONText()
        let isWhole = Self.append(type: failure.type, message: failure.message, to: &one)
        if json.count + one.count < TraceLimits.causeByteCount {
          json.separate()
          json.append(raw: one.bytes)
          if isWhole, failure.attributes.isEmpty { continue }
        }
        rest.append(failure)
      }
      exceptions = json.bytes
    }

    func append(to text: inout JSONText) {
      guard !exceptions.isEmpty else { return }
      text.append(name: "cause")
      text.open("{")
      text.append(name: "exceptions")
      text.open("[")
      text.append(raw: exceptions)
      text.close("]")
      text.close("}")
    }

    /// Returns whether the exception shows type and message in full.
    @discardableResult
    private static func append(type: String?, message: String, to json: inout JSONText) -> Bool {
      json.open("{")
      json.append([.init("id", .string(XRaySegmentID().text))])
      var isWhole = true
      for (name, value) in [("type", type), ("message", message)] {
        guard let value else { continue }
        let limit = name == "type" ? TraceLimits.operationByteCount : TraceLimits.exceptionMessageByteCount
        json.append(name: name)
        isWhole = json.append(string: value, limit: limit) && isWhole
      }
      json.close("}")
      return isWhole
    }
  }

  extension FailureMarks {
    /// Distinguishes the failures as X-Ray does.
    ///
    /// A status of HTTP decides if there is one of 400 or more: a client's error is no fault of the service, even if
    /// the handler threw it. Otherwise, the span's status decides, and without one, whether an error was recorded.
    init(_ recording: SpanRecording, httpStatus: Int?) {
      switch httpStatus {
      case 429?: (isError, isThrottle) = (true, true)
      case .some(400...499): isError = true
      case .some(500...599): isFault = true
      default: isFault = recording.status.map { $0.code == .error } ?? !recording.failures.isEmpty
      }
    }
  }
#endif
