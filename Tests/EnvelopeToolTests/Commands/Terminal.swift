// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

/// What happened on a terminal.
struct Session: Decodable {
  /// All that was shown.
  let shown: String
  let code: Int32?
  let signal: Int32?
  /// Whether what is typed was shown, at each step and in the end.
  let echoed: [Bool]
}

extension Sandbox {
  /// Runs `envelope` on a terminal of its own.
  ///
  /// - Parameter steps: What to wait for, and what to type then; `signal N` sends a signal instead.
  func terminal(
    _ arguments: [String], with variables: [String: String] = [:], steps: [(await: String, type: String)]
  ) throws -> Session {
    let tool = try #require(Tool.path, "The command envelope was not built with the tests: run Tests/run")
    try write(Self.driver, to: root + "/driver.py")
    let encoded = try JSONEncoder().encode(steps.map { [$0.await, $0.type] })
    let words = [try Tool.python, root + "/driver.py", String(decoding: encoded, as: UTF8.self), tool] + arguments
    let line = words.map { "'" + $0.replacingOccurrences(of: "'", with: "'\\''") + "'" }.joined(separator: " ")
    return try JSONDecoder().decode(Session.self, from: shell(line, with: variables).succeeded().output)
  }

  private static let driver = """
    import fcntl, json, os, pty, select, signal, sys, termios
    signal.alarm(60)
    steps, command = json.loads(sys.argv[1]), sys.argv[2:]
    master, slave = pty.openpty()
    child = os.fork()
    if child == 0:
        os.setsid()
        fcntl.ioctl(slave, termios.TIOCSCTTY, 0)
        for number in range(3): os.dup2(slave, number)
        os.execv(command[0], command)
    shown, seen, echoed = b"", 0, []
    def echo(): return bool(termios.tcgetattr(slave)[3] & termios.ECHO)
    def read(seconds):
        global shown
        ready = select.select([master], [], [], seconds)[0]
        if ready: shown += os.read(master, 65536)
        return ready
    for wanted, typed in steps:
        while wanted.encode() not in shown[seen:]: read(None)
        seen = len(shown)
        echoed.append(echo())
        if typed.startswith("signal "): os.kill(child, int(typed[7:]))
        else: os.write(master, typed.encode())
    while True:
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended: break
        read(0.02)
    while read(0): pass
    echoed.append(echo())
    print(json.dumps({
        "shown": shown.decode(errors="replace"), "echoed": echoed,
        "code": os.WEXITSTATUS(status) if os.WIFEXITED(status) else None,
        "signal": os.WTERMSIG(status) if os.WIFSIGNALED(status) else None}))

    """
}
