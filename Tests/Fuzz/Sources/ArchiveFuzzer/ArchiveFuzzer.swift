// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import EnvelopeKit
import EnvelopeKitFiles
import Fuzzing

@testable import EnvelopeKitArchives

#if canImport(Darwin)
  import Darwin
#elseif canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// Reads zip archives in sealed files.
///
/// The bytes are an archive, or edits of one; it is sealed, opened, and all of its entries are read.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
  var input = unsafe FuzzedBytes(start, count)
  switch input.byte() % 2 {
  case 0: read(input.rest())
  default:
    var archive = known
    archive.edit(by: &input)
    read(archive)
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

/// What 1,024 bytes of an entry's content may expand to at most: deflate's own bound, with room for its headers.
private func mostBytes(from count: Int) -> Int { count * 1032 + 1024 }

private func read(_ bytes: [UInt8]) {
  store(bytes)
  let file = require("a sealed file is opened") {
    let keyring = Known.keyring
    return try waiting { try await SealedFile(at: path, context: Known.context, using: keyring) }
  }
  guard let archive = accepted({ try SealedArchive(in: file) }) else { return }
  require(
    archive.entries.reduce(0) { $0 + $1.compressedByteCount } <= bytes.count, "entries have more bytes than there are")
  for entry in archive.entries {
    require(EntryName.fault(of: entry.name) == nil, "a name leads out of the folder")
    require(archive.entry(named: entry.name)?.offset == entry.offset, "an entry is not found by its name")
    var byteCount = 0
    let isRead: Void? = accepted {
      try archive.read(entry.name) { piece in
        byteCount += piece.byteCount
        require(byteCount <= entry.byteCount, "an entry gives more bytes than it says")
      }
    }
    require(byteCount <= mostBytes(from: entry.compressedByteCount), "an entry gives more bytes than it can have")
    require(isRead == nil || byteCount == entry.byteCount, "an entry gives fewer bytes than it says")
    let whole = accepted { try archive.read(entry.name, limit: 1 << 20).byteCount }
    require(whole == nil || whole == byteCount, "an entry read at once has other bytes")
    require(isRead == nil || whole != nil || byteCount > 1 << 20, "an entry is not read at once")
  }
}

private func store(_ bytes: [UInt8]) {
  let sealed = require("an archive is sealed") {
    try immediately {
      var sealed: [UInt8] = []
      var sealer = try await StreamSealer(context: Known.context, chunkSize: chunkSize, using: Known.keyring)
      try unsafe sealer.append(bytes.span.bytes) { sealed += [UInt8](copying: $0) }
      try sealer.finish { sealed += [UInt8](copying: $0) }
      return sealed
    }
  }
  let file = unsafe open(path, O_WRONLY | O_TRUNC)
  require(file >= 0, "a file is opened")
  require(unsafe write(file, sealed, sealed.count) == sealed.count, "a file is written")
  close(file)
}

/// The smallest, so that even short archives have several.
private let chunkSize = require("a chunk has a size") {
  guard let size = ChunkSize(byteCount: 4096) else {
    throw EnvelopeError(.invalidArgument, "4,096 bytes are no chunk's size")
  }
  return size
}

/// An archive of a stored, a deflated and an empty entry and a folder, with a data descriptor and Zip64 records.
private let known: [UInt8] = require("the known archive is written in hexadecimal digits") {
  let digits = Array(knownDigits.utf8)
  return try stride(from: 0, to: digits.count, by: 2).map { place in
    guard let byte = UInt8(String(decoding: digits[place..<place + 2], as: UTF8.self), radix: 16) else {
      throw EnvelopeError(.malformed, "These are no digits")
    }
    return byte
  }
}

private let knownDigits = """
  504b03041400080000000000215800000000000000000000000002000000642f504b0708000000000000000000000000504b030414000800\
  08000000215800000000000000000000000003000000642f612bcecf4d552849ad28d15128a6261300504b0708ded1edaf10000000580000\
  00504b030414000800000000002158000000000000000000000000010000007373746f726564504b07080bf943560600000006000000504b\
  0304140008000000000021580000000000000000000000000100000065504b0708000000000000000000000000504b030414000800000000\
  002158000000000000000000000000010000006c73504b07080bcf0e1b0100000001000000504b0102140314000800000000002158000000\
  000000000000000000020000000000000000001000ed4100000000642f504b0102140314000800080000002158ded1edaf10000000580000\
  00030000000000000000000000ed8130000000642f61504b01021403140008000000000021580bf943560600000006000000010000000000\
  000000000000a4817100000073504b0102140314000800000000002158000000000000000000000000010000000000000000000000a481a6\
  00000065504b01021403140008000000000021580bcf0e1b0100000001000000010000000000000000000000ffa1d50000006c504b06062c\
  000000000000002d002d00000000000000000005000000000000000500000000000000ee000000000000000501000000000000504b060700\
  000000f30100000000000001000000504b05060000000005000500ee000000050100000000
  """
