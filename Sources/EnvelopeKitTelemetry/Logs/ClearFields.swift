// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

#if Telemetry
  /// Which fields of a log record stay readable; the others are sealed.
  ///
  /// Clear fields are authenticated, and services that receive the lines can route, filter and search by them.
  public struct ClearFields: Sendable, Hashable {
    /// A field of a log record other than its metadata.
    public enum Field: UInt8, Sendable, Hashable, CaseIterable {
      case time
      case level
      case label
      case source
      case message
    }

    // One bit for each: a record looks them up several times.
    private let bits: UInt8
    /// The keys of metadata that stays clear.
    let metadata: Set<String>
    /// Whether all metadata stays clear but what is marked.
    let sealsMarkedMetadataAlone: Bool

    private init(_ fields: Set<Field>, _ metadata: Set<String>, sealsMarkedMetadataAlone: Bool) {
      bits = fields.reduce(0) { $0 | 1 << $1.rawValue }
      self.metadata = metadata
      self.sealsMarkedMetadataAlone = sealsMarkedMetadataAlone
    }

    /// Whether a field is clear.
    func contains(_ field: Field) -> Bool { bits & 1 << field.rawValue != 0 }

    /// Leaves these fields clear.
    ///
    /// - Parameters:
    ///   - fields: The fields.
    ///   - metadata: The keys of metadata to leave clear, but for values marked with `\\(sealed:)`.
    public init(_ fields: Set<Field>, metadata: Set<String> = []) {
      self.init(fields, metadata, sealsMarkedMetadataAlone: false)
    }

    /// Time, level and label: what routing needs.
    public static let routing = ClearFields([.time, .level, .label])

    /// Nothing but the segment and the sequence.
    public static let none = ClearFields([])

    /// Everything but the metadata that is marked with `\\(sealed:)`, for logs that are searched where they are stored.
    ///
    /// A value of more than 8,192 bytes is sealed all the same.
    public static let unmarked = ClearFields(Set(Field.allCases), [], sealsMarkedMetadataAlone: true)
  }
#endif
