// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

#if !AWS
  /// AWS KMS as a keyring, for which the package's trait `AWS` has to be switched on.
  @available(*, unavailable, message: "Switch on the trait AWS: .package(url: …, traits: [\"AWS\"])")
  public enum KMSKeyring {}

  /// A client of AWS KMS, for which the package's trait `AWS` has to be switched on.
  @available(*, unavailable, message: "Switch on the trait AWS: .package(url: …, traits: [\"AWS\"])")
  public enum KMSClient {}

  /// Credentials for AWS, for which the package's trait `AWS` has to be switched on.
  @available(*, unavailable, message: "Switch on the trait AWS: .package(url: …, traits: [\"AWS\"])")
  public enum AWSCredentials {}

  /// The values of AWS Lambda's console helper, for which the package's trait `AWS` has to be switched on.
  @available(*, unavailable, message: "Switch on the trait AWS: .package(url: …, traits: [\"AWS\"])")
  public enum ConsoleHelper {}
#endif
