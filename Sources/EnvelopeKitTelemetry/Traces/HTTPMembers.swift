// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

#if Telemetry
  internal import Tracing

  /// The `http` object of a segment, from the attributes of OpenTelemetry's semantic conventions, present and former.
  struct HTTPMembers {
    private var request: [SegmentDocument.Member] = []
    private var response: [SegmentDocument.Member] = []
    /// The response's status, if there is one.
    private(set) var status: Int?
    /// The names of the attributes that the object shows in full.
    private(set) var consumed: Set<String> = []

    init(_ attributes: SpanAttributes, kind: SpanKind) {
      take(
        attributes, ["http.request.method", "http.method"], as: "method", limit: TraceLimits.requestValueByteCount)
      // Only of a request: `url.path` and `server.address` alone describe other protocols, too.
      if !take(attributes, ["url.full", "http.url"], as: "url", limit: TraceLimits.urlByteCount), !request.isEmpty {
        composeURL(attributes)
      }
      take(
        attributes, ["user_agent.original", "http.user_agent"], as: "user_agent",
        limit: TraceLimits.requestValueByteCount)
      let addresses =
        ["client.address", "http.client_ip"] + (kind == .server ? ["network.peer.address", "net.peer.ip"] : [])
      take(attributes, addresses, as: "client_ip", limit: TraceLimits.requestValueByteCount)
      status = takeInteger(
        attributes, ["http.response.status_code", "http.status_code"], as: "status", in: 100...999
      ).map(Int.init(truncatingIfNeeded:))
      _ = takeInteger(
        attributes, ["http.response.body.size", "http.response_content_length"], as: "content_length",
        in: 0...(1 << 53))
    }

    func append(to text: inout JSONText) {
      guard !request.isEmpty || !response.isEmpty else { return }
      text.append(name: "http")
      text.open("{")
      text.append(
        [("request", request), ("response", response)].filter { !$0.1.isEmpty }.map {
          .init($0.0, .object($0.1))
        })
      text.close("}")
    }

    /// Takes the first of the attributes that is a string short enough to be shown in full.
    @discardableResult
    private mutating func take(
      _ attributes: SpanAttributes, _ names: [String], as member: String, limit: Int
    ) -> Bool {
      for name in names {
        guard case .string(let value)? = attributes.get(name), Self.fits(value, limit) else { continue }
        request.append(.init(member, .string(value)))
        consumed.insert(name)
        return true
      }
      return false
    }

    private mutating func takeInteger(
      _ attributes: SpanAttributes, _ names: [String], as member: String, in range: ClosedRange<Int64>
    ) -> Int64? {
      for name in names {
        let value: Int64
        switch attributes.get(name) {
        case .int64(let number)?: value = number
        case .int32(let number)?: value = Int64(number)
        default: continue
        }
        guard range.contains(value) else { continue }
        response.append(.init(member, .number(value.description)))
        consumed.insert(name)
        return value
      }
      return nil
    }

    /// Composes the URL of its parts, which stay attributes as well.
    private mutating func composeURL(_ attributes: SpanAttributes) {
      func text(_ names: String...) -> String? {
        for name in names {
          if case .string(let value)? = attributes.get(name), !value.isEmpty { return value }
        }
        return nil
      }
      guard let host = text("server.address", "http.host", "net.host.name") else { return }
      let path = text("url.path", "http.target") ?? "/"
      let query = text("url.query").map { "?" + $0 } ?? ""
      var port = ""
      if case .int64(let number)? = attributes.get("server.port"), (1...65_535).contains(number) {
        port = ":\(number)"
      }
      let url = (text("url.scheme", "http.scheme") ?? "http") + "://" + host + port + path + query
      guard Self.fits(url, TraceLimits.urlByteCount) else { return }
      request.append(.init("url", .string(url)))
    }

    private static func fits(_ value: String, _ limit: Int) -> Bool {
      guard value.utf8.count <= limit else { return false }
      var text = JSONText()
      text.append(string: value)
      return text.count <= limit + 2
    }
  }
#endif
