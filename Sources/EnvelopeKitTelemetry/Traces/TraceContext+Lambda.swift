// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

#if Telemetry
  internal import EnvelopeKit

  extension TraceContext {
    /// The variable in which a runtime of AWS Lambda keeps the tracing header of the current invocation.
    static let invocationVariable = "_X_AMZN_TRACE_ID"

    /// Parses the tracing header of an invocation of an AWS Lambda function.
    ///
    /// AWS Lambda writes the function's segment itself. Root spans of the context are therefore subsegments of it. Pass
    /// the value of the `Lambda-Runtime-Trace-Id` header, which a runtime calls the trace id of the invocation.
    ///
    /// Returns nil for a text that ``init(header:)`` refuses.
    public init?(invocationHeader: String) {
      self.init(header: invocationHeader, isInvocation: true)
    }

    /// Reads the trace of the current invocation from `_X_AMZN_TRACE_ID` of the process's environment.
    ///
    /// Call it when an invocation starts and no other thread sets variables. Returns nil if the variable is not set, or
    /// if ``init(header:)`` refuses its value.
    public static func currentInvocation() -> TraceContext? {
      ProcessEnvironment.value(of: invocationVariable).flatMap(TraceContext.init(invocationHeader:))
    }
  }
#endif
