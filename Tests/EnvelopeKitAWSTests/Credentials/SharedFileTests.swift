// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

#if AWS
  import EnvelopeKit
  import Testing

  @testable import EnvelopeKitAWS

  @Suite(.timeLimit(.minutes(20))) struct SharedFileTests {
    private func value(_ key: String, in section: String, of text: String) -> String? {
      SharedFile(text: SecretBytes(copying: text)).string(of: key, in: [section])
    }

    @Test(arguments: [
      "[a]\nk=v\n", "[a]\nk = v", "[ a ]\r\nk =  v \r\n", "# k = x\n[a]\n; k = y\nK=v\n",
      "[b]\nk=w\n[a]\nk=v\n[c]\nk=x",
      "[a]\nk=v\n  k = nested\n", "\u{feff}[a]\nk=v", "[a]\nk=w\nk=v\n", "[a]\n=x\n\nnothing\nk=v",
      "[b]\n[a]\nk=v\n[]\nk=x",
    ])
    func theValueIsFound(text: String) { #expect(value("k", in: "a", of: text) == "v", "\(text)") }

    @Test(arguments: [
      "", "k=v", "[a", "[a]", "[a]\nk", "[a]\nk=", "[a]\nk= \n", "[b]\nk=v", "[a]\nkk=v", "[a]x\nk=v", "[a]\n#k=v",
      "[", "]", "[]\nk=v", "[a]\nk=\u{00}\u{00}".replacing("\u{00}", with: ""), "=\n=\n[", "\n\n\n",
    ])
    func whatIsNotThereIsNotFound(text: String) { #expect(value("k", in: "a", of: text) == nil, "\(text)") }

    @Test func valuesKeepSignsAndCase() {
      #expect(value("k", in: "a", of: "[a]\nk = aB=/+= #x") == "aB=/+= #x")
      #expect(value("k", in: "profile a", of: "[profile   a]\nk=v") == "v")
    }

    @Test func sectionsAreToldApart() {
      let file = SharedFile(text: SecretBytes(copying: "[a]\n[profile b]\nk=v"))
      #expect(file.hasSection(["a"]) && file.hasSection(["profile b"]) && file.hasSection(["x", "a"]))
      #expect(!file.hasSection(["b"]) && !file.hasSection([""]))
    }
  }
#endif
