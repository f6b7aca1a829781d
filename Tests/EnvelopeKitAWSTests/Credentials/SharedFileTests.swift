// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

#if AWS
  import EnvelopeKit
  import EnvelopeKitFiles
  import Testing

  @testable import EnvelopeKitAWS

  @Suite(.timeLimit(.minutes(20))) struct SharedFileTests {
    private func file(_ text: String) throws(EnvelopeError) -> SharedFile {
      try SharedFile(text: SecretBytes(copying: text), path: Path("/h/config"))
    }

    private func value(_ key: String, in section: String, of text: String) throws(EnvelopeError) -> String? {
      try file(text).section(named: section)?.string(of: key)
    }

    @Test(arguments: [
      "[a]\nk=v\n", "[a]\nk = v", "[a]\r\nk =  v \r\n", "# k = x\n[a]\n; k = y\nK=v\n", "[a]\nk: v", "[a]\nk:v\n",
      "[b]\nk=w\n[a]\nk=v\n[c]\nk=x", "\u{feff}[a]\nk=v", "\n\n\n[a]\n\t\n k=v\n", "[a]\nk\t=\tv\t\n",
      // Comments after and before a header.
      "[b]\nk=w\n[a] # comment\nk=v", "[b]\nk=w\n[a]\t; x=y\nk=v", "[a]# [b]\nk=v", "[a] #\nk=v", "  # x\n[a]\nk=v",
      // An indented header is a header unless a setting is above it.
      "  [a]\n  k=v\n", "[b]\n  [a]\nk=v", "[b]\n\tk=w\n\t[a]\n\tk=v", "[b]\n    k=w\n  [a]\n  k=v\n",
      // What is nested stays inside.
      "[a]\ns3 =\n  k = nested\n  x=y\nk=v", "[a]\ns3=\n  # comment\n\n  k = nested\nk=v", "[a]\nk=v\ns3:\n\tk=nested",
      "[a]\n  s3 =\n    k = nested\n  k = v\n", "[a]\nk=v\nother = 1\n  k = part of other\n",
    ])
    func findsValue(text: String) throws {
      #expect(try value("k", in: "a", of: text) == "v", "\(text)")
    }

    @Test(arguments: [
      "", "[a]", "[a]\nk=", "[a]\nk= \n", "[b]\nk=v", "[a]\nkk=v", "[a]\n#k=v", "[a]\n  ; k=v\n", "# [a]\n# k=v",
      "[a]\ns3 =\n  k = v\n", "[a]\nother = 1\n k = v", "[a b]\nk=v", "[profile a]\nk=v", "[A]\nk=v", "[\"a\"]\nk=v",
    ])
    func findsNothingElsewhere(text: String) throws {
      #expect(try value("k", in: "a", of: text) == nil, "\(text)")
    }

    /// Each would put the settings of one section into another, or lose them, if its line were passed over.
    @Test(arguments: [
      ("[a]\nk=w\n[b] x\nk=v", 3), ("[a]\nk=w\n[b]x=y\n", 3), ("[a]\nk=w\n[b\nk=v", 3), ("[a]\n[]\nk=v", 2),
      ("[a]\n[ ]\nk=v", 2), ("[ a ]\nk=v", 1), ("[a]\n[b\t]", 2), ("[", 1), ("]", 1), ("[a]\n[b]]\n", 2),
      ("[a]\n[b]=x\n", 2), ("[a]\n(b)\nk=v", 2),
      ("k=v", 1), ("\n# c\nk=v\n[a]", 3), ("[a]\nnothing\nk=v", 2), ("[a]\n=x", 2), ("[a]\n= \n", 2), ("[a]\n:x", 2),
      ("[a]\nexport k=v", 2), ("[a]\nk k=v", 2), ("[a]\n\"k\"=v", 2), ("[a]\n'k'=v", 2), ("[a]\n\u{e9}=v", 2),
      ("[a]\n\u{a0}[b]\u{a0}=v", 2), ("[a]\n\u{a0}[b]", 2), ("[a]\nk\n=v", 2),
      // Indented below a setting.
      ("[a]\nk=w\n  [b]\nk=v", 3), ("[a]\ns3 =\n  [b]\n  k=v", 3), ("[a]\n\tk=w\n\t\t[b]", 3), ("[a]\ns3 =\n  x", 3),
      ("[a]\ns3=\n  x=y\n  z", 4), ("[a]\ns3=\n  x=y\n  x=z", 4), ("[a]\nk=w\n\n# c\n [b] # c\n", 5),
      // Twice.
      ("[a]\nk=w\nk=v", 3), ("[a]\nk=w\nK:v", 3), ("[a]\n[b]\n[a]\nk=v", 3), ("[a]\n[ a ]", 2),
      ("[profile a]\n[profile\ta] # c", 2), ("[DEFAULT]\nk=v\n[a]", 1),
      // Blanks that only some tools remove.
      ("[a]\nk=v\u{a0}", 2), ("[a]\nk=\u{3000}v", 2), ("[a]\nk = v\u{2003} \n", 2), ("[a]\nk=\u{85}", 2),
      ("[a]\ns3 =\n  x = \u{2028}y", 3),
      // Other line ends, and what some tools take for blanks.
      ("[a]\rk=v", 1), ("[a]\nk=v\rj=w\n", 2), ("[a]\r\r\nk=v", 1), ("[a]\nk=\0v", 2), ("[a]\n\u{b}k=v", 2),
      ("[a]\n\u{c}[b]\nk=v", 2), ("[a]\nk=v\u{7f}", 2), ("[a]\n# \u{1b}[2J\nk=v", 2),
    ])
    func refusesLineThatItCannotRead(text: String, line: Int) async {
      let error = await expectError(.configurationInvalid, saying: "/h/config, line \(line):") {
        try value("k", in: "a", of: text)
      }
      #expect(error?.advice.isEmpty == false, "\(text)")
    }

    @Test(arguments: [[0xff], [0xc3], [0xed, 0xa0, 0x80], [0xc0, 0x80]] as [[UInt8]])
    func refusesTextThatIsNotUTF8(bytes: [UInt8]) async {
      await expectError(.configurationInvalid, saying: "line 3") {
        _ = try SharedFile(text: SecretBytes(copied: Array("[a]\nk=v\n#".utf8) + bytes), path: Path("/h/config"))
      }
    }

    /// A line of a broken file can be a part of a secret.
    @Test(arguments: [
      "[a]\nhunter2", "[a]\nhunter2=x\nhunter2=y", "hunter2=x", "[a]\nhunter2=x\n  [b]", "[a]\nhunter2=\n  x",
      "[a]\nhunter 2=x", "[a]\n[b] hunter2", "[a]\nhunter2 hunter2=x",
    ])
    func showsNoneOfRefusedLine(text: String) async {
      let error = await expectError(.configurationInvalid) { try value("k", in: "a", of: text) }
      #expect(error?.description.contains("hunter") == false, "\(text)")
    }

    @Test func refusesValueOfSeveralLines() async throws {
      for text in ["[a]\nj=w\nk=v\n  w\n", "[a]\nj=w\nk=v\n  j = x\n", "[a]\nj=w\nk=\n  x=y"] {
        await expectError(.configurationInvalid, saying: "line 3") { try value("k", in: "a", of: text) }
        #expect(try value("j", in: "a", of: text) == "w")
      }
    }

    @Test func keepsSignsAndCaseOfValues() throws {
      #expect(try value("k", in: "a", of: "[a]\nk = aB=/+=: #x ;y") == "aB=/+=: #x ;y")
      #expect(try value("k", in: "a", of: "[a]\nk = [b]") == "[b]")
      #expect(try value("k", in: "a", of: "[a]\nk = \u{e9}\u{a0}\u{1f511}\n") == "\u{e9}\u{a0}\u{1f511}")
      #expect(try value("k", in: "profile a", of: "[profile   a]\nk=v") == "v")
      #expect(try value("k", in: "profile \"a  b\"", of: "[profile\t\"a  b\"]\nk=v") == "v")
    }

    @Test func findsNestedSettings() throws {
      let file = try file(
        "[services s]\nkms =\n  endpoint_url = https://a=b # c\n  X= \ns3=\n  endpoint_url = w\nk = v\n  y = z")
      let section = try #require(file.section(named: "services s"))
      #expect(section.nestedString("endpoint_url", of: "kms") == "https://a=b # c")
      #expect(section.nestedString("endpoint_url", of: "s3") == "w")
      for (key, outer) in [("X", "kms"), ("x", "kms"), ("endpoint_url", "sts"), ("y", "k"), ("Endpoint_url", "kms")] {
        #expect(section.nestedString(key, of: outer) == nil)
      }
    }

    @Test func tellsSectionsApart() async throws {
      let file = try file("[a]\n[profile b]\nk=\n")
      #expect(try file.section(["a"])?.has("k") == false && file.section(["x", "profile b"])?.has("k") == true)
      #expect(try file.section(["b", "", "A"]) == nil && file.section([]) == nil)
      await expectError(.configurationInvalid, saying: "'a' and 'profile b'") {
        try self.file("[a]\n[profile b]").section(["a", "profile b"])
      }
    }
  }
#endif
