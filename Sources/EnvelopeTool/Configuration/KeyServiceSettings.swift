// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

/// How to reach AWS KMS; what is nil is left to where AWS's own tools look.
struct KeyServiceSettings: Hashable {
  var region: String?
  var profile: String?
  var endpointURL: String?
  /// A file of certificates that are trusted instead of the system's.
  var caBundle: String?
  /// Whether the endpoint may be `http://` on this machine; nil if nothing says so.
  var allowsInsecureLoopbackHTTP: Bool?

  /// The same, and from another what is nil here.
  func completed(by other: KeyServiceSettings) -> KeyServiceSettings {
    KeyServiceSettings(
      region: region ?? other.region, profile: profile ?? other.profile,
      endpointURL: endpointURL ?? other.endpointURL, caBundle: caBundle ?? other.caBundle,
      allowsInsecureLoopbackHTTP: allowsInsecureLoopbackHTTP ?? other.allowsInsecureLoopbackHTTP)
  }

  /// Whether another is the same but for the Region.
  func isSame(as other: KeyServiceSettings) -> Bool {
    var same = other
    same.region = region
    return self == same
  }
}
