// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

/// Key stores where platforms put them, with their owners, modes and mounts, read by another user's process.
@Suite(.timeLimit(.minutes(20)), .enabled(if: Deployment.isPossible, "Needs root, unshare, mount and setpriv"))
struct DeploymentTests {
  let sandbox: Sandbox

  init() throws {
    sandbox = try Sandbox()
    try sandbox.envelope("keys", "create", "app").succeeded()
    try sandbox.seal("TOKEN=abc\n")
    try sandbox.keys("export", "app", "--function", "app", "-o", "narrowed.keys").succeeded()
  }

  /// Places a store by lines of `sh`, and opens with it as the user 1001.
  ///
  /// The lines run in a mount namespace of their own, in which `/mnt` is empty; `$KEYS` is the store to place.
  private func open(_ deployment: Deployment, keys: String = "narrowed.keys") throws -> Outcome {
    let script = """
      set -eu
      mount -t tmpfs -o mode=755 tmpfs /mnt
      : > /mnt/envelope
      mount --bind "$ENVELOPE" /mnt/envelope
      install -m 644 app.env /mnt/app.env
      \(deployment.lines)
      ulimit -l 64
      cd /
      exec setpriv --reuid=\(deployment.user) --regid=\(deployment.user) \(deployment.groups) \
        env -i PATH=/usr/bin:/bin HOME=/ ENVELOPE_STORE=\(deployment.store) \
        /mnt/envelope exec /mnt/app.env --function app -- printenv TOKEN
      """
    return try sandbox.shell("unshare -m sh -c \"$SCRIPT\"", with: ["SCRIPT": script, "KEYS": sandbox.path(keys)])
  }

  @Test(arguments: Deployment.opening) func opensWithNarrowedKey(deployment: Deployment) throws {
    let result = try open(deployment).succeeded()
    #expect(result.text == "abc\n" && result.messages == "")
  }

  @Test(arguments: Deployment.opening) func warnsOnceOfWholeStoreThatOthersCanRead(deployment: Deployment) throws {
    let result = try open(deployment, keys: sandbox.keyStore).succeeded()
    #expect(result.text == "abc\n")
    guard deployment.isReadableByOthers else {
      #expect(result.messages == "")
      return
    }
    #expect(result.messages.hasPrefix("Warning: Other users can read the key store \(deployment.store)"))
    #expect(result.messages.contains("envelope keys export KEY --function NAME"))
    #expect(result.messages.filter { $0 == "\n" }.count == 1)
  }

  @Test(arguments: Deployment.refused) func refuses(deployment: Deployment) throws {
    try open(deployment).failed(77, saying: deployment.message)
  }

  @Test func commandThatReadsStoreTwiceWarnsOnce() throws {
    try sandbox.setMode(0o644, of: sandbox.keyStore)
    let result = try sandbox.envelope("set", "app.env", "MORE", "--function", "app", input: "1").succeeded()
    #expect(result.messages.split(separator: "\n").filter { $0.contains("Warning: ") }.count == 1)
    // What changes keys keeps the strict rules.
    try sandbox.keys("create", "more").failed(77, saying: "chmod 600 '\(sandbox.keyStore)'")
  }
}

/// How a platform places a key store.
struct Deployment: CustomTestStringConvertible {
  let testDescription: String
  let lines: String
  let store: String
  var user = 1001
  var groups = "--clear-groups"
  var isReadableByOthers = true
  /// What the refusal says.
  var message = ""

  /// Whether this user may place files of other users, and mount.
  static let isPossible: Bool = {
    let outcome = try? Sandbox().shell("unshare -m sh -c 'mount -t tmpfs tmpfs /mnt && setpriv -h'")
    return outcome?.code == 0
  }()

  private static let readOnly = "mount --bind /mnt/task /mnt/task && mount -o remount,bind,ro /mnt/task"

  /// The folder of a Secret volume, as the kubelet writes it; `fsGroup` gives it a group and the bits for that.
  private static func volume(_ modes: String) -> String {
    """
    mkdir /mnt/secret
    mount -t tmpfs -o mode=1777 tmpfs /mnt/secret
    mkdir -m 755 /mnt/secret/..2026_11_26
    install -m 644 "$KEYS" /mnt/secret/..2026_11_26/keys
    ln -s ..2026_11_26 /mnt/secret/..data
    ln -s ..data/keys /mnt/secret/keys
    \(modes)
    mount -o remount,ro /mnt/secret
    """
  }

  private static let fsGroup = """
    chgrp -R 2000 /mnt/secret
    chmod 3777 /mnt/secret
    chmod 2755 /mnt/secret/..2026_11_26
    chmod 440 /mnt/secret/..2026_11_26/keys
    """

  private static func composeSecret(_ owner: Int, _ mode: Int) -> String {
    """
    install -o \(owner) -m \(mode) "$KEYS" /mnt/source
    mkdir -p /mnt/run/secrets && : > /mnt/run/secrets/keys
    mount --bind /mnt/source /mnt/run/secrets/keys
    mount -o remount,bind,ro /mnt/run/secrets/keys
    """
  }

  /// systemd grants the service's user reading by an access control list.
  private static let credential = """
    mkdir /mnt/credentials
    mount -t tmpfs -o mode=700 tmpfs /mnt/credentials
    install -m 400 "$KEYS" /mnt/credentials/keys
    python3 - <<'PYTHON'
    import os, struct
    for path, permission in [("/mnt/credentials/keys", 4), ("/mnt/credentials", 5)]:
        entries = [(1, permission, -1), (2, permission, 1001), (4, 0, -1), (16, permission, -1), (32, 0, -1)]
        acl = struct.pack("<I", 2) + b"".join(struct.pack("<HHi", *entry) for entry in entries)
        os.setxattr(path, "system.posix_acl_access", acl)
    PYTHON
    mount -o remount,ro /mnt/credentials
    """

  static let opening = [
    Deployment(
      testDescription: "Lambda package", lines: "install -D -m 644 \"$KEYS\" /mnt/task/keys && \(readOnly)",
      store: "/mnt/task/keys"),
    Deployment(
      testDescription: "Lambda layer", lines: "install -D -m 755 \"$KEYS\" /mnt/task/lib/keys && \(readOnly)",
      store: "/mnt/task/lib/keys"),
    Deployment(testDescription: "Secret volume", lines: volume(""), store: "/mnt/secret/keys"),
    Deployment(
      testDescription: "Secret volume with fsGroup", lines: volume(fsGroup), store: "/mnt/secret/keys",
      groups: "--groups=2000"),
    Deployment(
      testDescription: "Docker secret", lines: composeSecret(0, 444), store: "/mnt/run/secrets/keys"),
    Deployment(
      testDescription: "Compose secret of the same user", lines: composeSecret(1001, 644),
      store: "/mnt/run/secrets/keys"),
    Deployment(
      testDescription: "private Compose secret of the same user", lines: composeSecret(1001, 600),
      store: "/mnt/run/secrets/keys", isReadableByOthers: false),
    Deployment(
      testDescription: "systemd credential", lines: credential, store: "/mnt/credentials/keys",
      isReadableByOthers: false),
    Deployment(
      testDescription: "systemd credential without access control lists",
      lines: """
        mkdir /mnt/credentials
        mount -t ramfs ramfs /mnt/credentials
        install -o 1001 -g 1001 -m 400 "$KEYS" /mnt/credentials/keys
        chown 1001:1001 /mnt/credentials && chmod 500 /mnt/credentials
        mount -o remount,ro /mnt/credentials
        """, store: "/mnt/credentials/keys", isReadableByOthers: false),
    Deployment(
      testDescription: "image", lines: "install -D -m 644 \"$KEYS\" /mnt/app/keys", store: "/mnt/app/keys"),
    Deployment(
      testDescription: "image for one group", lines: "install -D -g 1001 -m 440 \"$KEYS\" /mnt/app/keys",
      store: "/mnt/app/keys"),
    Deployment(
      testDescription: "image that runs as root", lines: "install -D -m 644 \"$KEYS\" /mnt/app/keys",
      store: "/mnt/app/keys", user: 0),
  ]

  static let refused = [
    Deployment(
      testDescription: "Lambda package with mode 0600",
      lines: "install -D -m 600 \"$KEYS\" /mnt/task/keys && \(readOnly)",
      store: "/mnt/task/keys", message: "make it readable before packing (chmod 644)"),
    Deployment(
      testDescription: "Lambda package that others can write",
      lines: "install -D -m 664 \"$KEYS\" /mnt/task/keys && \(readOnly)",
      store: "/mnt/task/keys", message: "sudo chmod go-w '/mnt/task/keys'"),
    Deployment(
      testDescription: "Secret volume whose group can write", lines: volume(fsGroup + "\nchmod 660 /mnt/secret/keys"),
      store: "/mnt/secret/keys", groups: "--groups=2000", message: "can write the key store"),
    Deployment(
      testDescription: "Secret volume without fsGroup", lines: volume("chmod 400 /mnt/secret/keys"),
      store: "/mnt/secret/keys", message: "may not read"),
    Deployment(
      testDescription: "Compose secret of another user", lines: composeSecret(1000, 644),
      store: "/mnt/run/secrets/keys", message: "belongs to another user, with the id 1000"),
    Deployment(
      testDescription: "image with the user's own file", lines: "install -D -o 1001 -m 644 \"$KEYS\" /mnt/app/keys",
      store: "/mnt/app/keys", message: "Run: chmod 600 '/mnt/app/keys'"),
    Deployment(
      testDescription: "image with a folder for all",
      lines: "install -D -m 644 \"$KEYS\" /mnt/app/keys && chmod 777 /mnt/app",
      store: "/mnt/app/keys", message: "can replace the key store"),
    Deployment(
      testDescription: "pipe", lines: "mkdir /mnt/app && mkfifo -m 644 /mnt/app/keys", store: "/mnt/app/keys",
      message: "is not a file"),
  ]
}
