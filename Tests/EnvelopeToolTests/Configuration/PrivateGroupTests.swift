// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import EnvelopeTool

@Suite(.timeLimit(.minutes(20))) struct PrivateGroupTests {
  static let users = [
    "root:x:0:0:root:/root:/bin/sh", "ada:x:1000:1000::/home/ada:/bin/sh", "", "short", "bob:x:1001:50",
  ]

  private func isPrivate(_ groups: [String], users: [String] = users, user: UInt32 = 1000) -> Bool {
    PrivateGroup.isPrivate(1000, of: user, users: users, groups: groups)
  }

  @Test(arguments: [["ada:x:1000:"], ["ada:x:1000:ada"], ["staff:x:50:ada,bob", "ada:x:1000:"]])
  func groupOfUserAloneIsPrivate(groups: [String]) {
    #expect(isPrivate(groups))
  }

  @Test(arguments: [
    [], ["ada:x:1000:bob"], ["ada:x:1000:ada,bob"], ["staff:x:1000:"], ["staff:x:1000:ada"], ["ada:x:1001:"],
    ["ada:x:1000"], ["ada:x:1000:", "staff:x:1000:"], ["ada:x:1000:", "ada:x:1000:bob"], ["ada:x:x1000:"],
  ]) func otherGroupsAreNot(groups: [String]) {
    #expect(!isPrivate(groups))
  }

  @Test func groupThatIsAnotherUsersPrimaryIsNot() {
    #expect(!isPrivate(["ada:x:1000:"], users: Self.users + ["eve:x:1002:1000::/:/bin/sh"]))
    // Two names of the same user.
    #expect(isPrivate(["ada:x:1000:"], users: Self.users + ["ada2:x:1000:1000::/:/bin/sh"]))
    #expect(!isPrivate(["ada:x:1000:"], user: 1003), "a user without a name")
  }
}
