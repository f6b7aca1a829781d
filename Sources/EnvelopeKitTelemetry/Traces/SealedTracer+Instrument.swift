// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

#if Telemetry
  public import Tracing

  extension SealedTracer {
    /// Reads the trace from the header `X-Amzn-Trace-Id`.
    ///
    /// Without the header, the context stays as it is. With a header that ``TraceContext/init(header:)`` refuses, the
    /// context has no trace, and its first span starts one.
    public func extract<Carrier, Extract: Extractor>(
      _ carrier: Carrier, into context: inout ServiceContext, using extractor: Extract
    ) where Extract.Carrier == Carrier {
      guard let header = extractor.extract(key: TraceContext.headerName, from: carrier) else { return }
      context.xRayTrace = TraceContext(header: header)
    }

    /// Writes the trace of the context to the header `X-Amzn-Trace-Id`.
    ///
    /// Without a trace, writes nothing.
    public func inject<Carrier, Inject: Injector>(
      _ context: ServiceContext, into carrier: inout Carrier, using injector: Inject
    ) where Inject.Carrier == Carrier {
      guard let trace = context.xRayTrace else { return }
      injector.inject(trace.header, forKey: TraceContext.headerName, into: &carrier)
    }
  }
#endif
