// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import EnvelopeKit
import EnvelopeKitFiles

@main
struct Checkout {
  static func main() async {
    await HandlerSecrets.runOrExit {  // an error ends the process in one line
      let secrets = try await HandlerSecrets.open()  // one unwrap for any number of variables

      let url = try secrets.require("DATABASE_URL").revealingString()
      let retries = try secrets["RETRIES"]?.integer() ?? 3
      print("The database's address has \(url.utf8.count) bytes; \(retries) retries.")
    }
  }
}
