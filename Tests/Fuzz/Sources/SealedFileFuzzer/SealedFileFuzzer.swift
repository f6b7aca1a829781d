// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import EnvelopeKit
import EnvelopeKitFiles
import Fuzzing

#if canImport(Darwin)
  import Darwin
#elseif canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// Reads sealed files at any offset.
///
/// The bytes are a file, or change one that was sealed under a known key before it is opened, or while it is open.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
  var input = unsafe FuzzedBytes(start, count)
  let mode = input.byte() % 3
  if mode == 0 {
    read(input.rest())
    return 0
  }
  let reads = (0..<Int(input.byte() % 16)).map { _ in (offset: input.word() % 9000, byteCount: input.word() % 9000) }
  let known = input.element(of: KnownStream.all)
  if mode == 1 {
    readChanged(known.changed(by: &input), of: known, at: reads)
  } else {
    readWhileChanging(known, to: known.changed(by: &input), at: reads)
  }
  return 0
}

/// A file in memory where the system has one.
private let path: String = {
  let folder = unsafe access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp"
  var template = Array("\(folder)/envelope-fuzz-XXXXXX".utf8CString)
  let file = unsafe mkstemp(&template)
  require(file >= 0, "a file is made")
  close(file)
  atexit { unsafe unlink(path) }
  return String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
}()

private func store(_ bytes: [UInt8]) {
  let file = unsafe open(path, O_WRONLY | O_TRUNC)
  require(file >= 0, "a file is opened")
  require(unsafe bytes.isEmpty || write(file, bytes, bytes.count) == bytes.count, "a file is written")
  close(file)
}

private func openFile() -> SealedFile? {
  let keyring = Known.keyring
  return accepted {
    try waiting {
      try await SealedFile(at: path, context: Known.context, using: keyring, anonymousSender: .accepted)
    }
  }
}

/// Whether the stored file verifies as a whole.
private func verify() -> Int? {
  let keyring = Known.keyring
  return accepted {
    try waiting {
      var options = FileOptions()
      options.coreCount = 1
      return try await SealedFile.verify(
        .path(path), context: Known.context, options: options, using: keyring, anonymousSender: .accepted)
    }
  }
}

private func read(_ bytes: [UInt8]) {
  store(bytes)
  let verified = verify()
  guard let file = openFile() else { return require(verified == nil, "a file verifies that does not open") }
  require(file.byteCount >= 0 && file.byteCount < bytes.count, "a file is longer than its sealed form")
  let plaintext = accepted { try file.read(0..<file.byteCount).array }
  require(plaintext?.count == verified, "a file is read that does not verify, or the reverse")
  for offset in [0, 1, file.byteCount / 2, file.byteCount] where offset <= file.byteCount {
    let part = accepted { try file.read(offset..<file.byteCount).array }
    require(plaintext == nil || part == plaintext.map { Array($0[offset...]) }, "a part differs from the whole")
  }
}

private func readChanged(_ bytes: [UInt8], of known: KnownStream, at reads: [(offset: Int, byteCount: Int)]) {
  store(bytes)
  let isSame = bytes == known.bytes
  require((verify() == known.plaintext.count) == isSame, "an altered file verifies, or the file itself does not")
  guard let file = openFile() else { return require(!isSame, "a file does not open") }
  require(file.byteCount == known.plaintext.count, "a file has another length than was sealed")
  read(file, of: known, at: reads, mustSucceed: isSame)
}

private func readWhileChanging(
  _ known: KnownStream, to bytes: [UInt8], at reads: [(offset: Int, byteCount: Int)]
) {
  store(known.bytes)
  guard let file = openFile() else { return require(false, "a file does not open") }
  store(bytes)
  read(file, of: known, at: reads, mustSucceed: bytes == known.bytes)
}

/// Expects of each part of a file that it is what was sealed, or is refused.
private func read(
  _ file: SealedFile, of known: KnownStream, at reads: [(offset: Int, byteCount: Int)], mustSucceed: Bool
) {
  for (offset, byteCount) in reads {
    let end = offset + byteCount
    let part = accepted { try file.read(offset..<end).array }
    guard let part else {
      require(!mustSucceed || end > known.plaintext.count, "a part of a file is refused")
      continue
    }
    require(end <= known.plaintext.count, "a file is read behind its end")
    require(part.elementsEqual(known.plaintext[offset..<end]), "a file is read to other bytes than were sealed")
  }
}
