// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

#if AWS
  import EnvelopeKit
  import Testing

  @testable import EnvelopeKitAWS

  @Suite(.timeLimit(.minutes(20))) struct KMSKeyNameTests {
    private let id = "1234abcd-12ab-34cd-56ef-1234567890ab"
    private let arn = "arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"
    private let replica = "arn:aws:kms:eu-central-1:111122223333:key/mrk-1234abcd12ab34cd56ef1234567890ab"

    @Test func theFourWaysToNameAKeyAreTaken() throws {
      for text in [id, arn, replica, "alias/checkout", "arn:aws-cn:kms:cn-north-1:111122223333:alias/team/x_y-z"] {
        #expect(try KMSKeyName(text).text == text)
      }
    }

    @Test(arguments: [
      "", "alias/", "alias", "checkout", "key/1234abcd-12ab-34cd-56ef-1234567890ab", "arn:aws:kms:eu:111:key/x",
      "arn:aws:kms::111122223333:key/x", "arn:aws:s3:eu-central-1:111122223333:key/x",
      "arn:aws:kms:eu-central-1:111122223333:key/", "arn:aws:kms:eu-central-1:111122223333:alias/",
      "arn:aws:kms:eu-central-1:111122223333:grant/x", "arn:aws:kms:eu-central-1:111122223333:key/x\u{301}",
      "arn:aws:kms:eu-central-1:111122223333:key/a:b", "arn:aws:kms:eu-central-1:11112222333a:key/a", "alias/a b",
      "alias/\u{212A}", "1234abcd-12ab-34cd-56ef-1234567890a!", "arn:aws:kms:EU:111122223333:key/a",
      "arn:aws:kms:eu-central-1:111122223333:key/a/b", "mrk-a b",
    ])
    func anythingElseIsRefused(text: String) async {
      await expectError(.invalidArgument, at: text) { try KMSKeyName(text) }
    }

    @Test func aNameStandsForItsKeyAlone() throws {
      let key = try #require(KMSKeyARN(arn))
      #expect(try KMSKeyName(arn).canName(key))
      #expect(try KMSKeyName(id).canName(key))
      #expect(try KMSKeyName("alias/any").canName(key))
      #expect(try KMSKeyName("arn:aws:kms:eu-central-1:111122223333:alias/any").canName(key))
      for other in [
        "arn:aws:kms:eu-central-1:111122224444:key/\(id)", "arn:aws-cn:kms:eu-central-1:111122223333:key/\(id)",
        "arn:aws:kms:eu-west-1:111122223333:key/\(id)", "arn:aws:kms:eu-central-1:111122223333:key/\(id.dropLast())b0",
        "1234abcd-12ab-34cd-56ef-1234567890ac", "arn:aws:kms:eu-central-1:111122224444:alias/any", replica,
      ] { #expect(try !KMSKeyName(other).canName(key), "\(other)") }
    }

    @Test func multiRegionKeysMatchAcrossRegionsAndOthersDoNot() throws {
      let (one, many) = (try #require(KMSKeyARN(arn)), try #require(KMSKeyARN(replica)))
      #expect(one.inRegion("eu-west-1") == nil)
      #expect(one.inRegion("eu-central-1") == one)
      let there = try #require(many.inRegion("us-east-1"))
      #expect("\(there)" == "arn:aws:kms:us-east-1:111122223333:key/mrk-1234abcd12ab34cd56ef1234567890ab")
      #expect(try KMSKeyName(replica).canName(there))
      #expect(try !KMSKeyName(arn).canName(there))
      #expect(try !KMSKeyName("\(there)".replacing("111122223333", with: "111122224444")).canName(many))
    }
  }
#endif
