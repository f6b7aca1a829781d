// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

#if !Archives
  /// A zip archive in a sealed file, for which the package's trait `Archives` has to be switched on.
  @available(*, unavailable, message: "Switch on the trait Archives: .package(url: …, traits: [\"Archives\"])")
  public enum SealedArchive {}
#endif
