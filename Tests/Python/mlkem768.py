# SPDX-FileCopyrightText: The EnvelopeKit authors
# SPDX-License-Identifier: Apache-2.0
"""ML-KEM-768 (FIPS 203), written from the standard, for X-Wing.

In Python, because vectors need encapsulation with chosen randomness, which no package offers. For tests alone: it is slow
and its time depends on secrets.
"""

from hashlib import sha3_256, sha3_512, shake_128, shake_256

Q, K, ETA, DU, DV = 3329, 3, 2, 10, 4
PUBLIC, CIPHERTEXT = 1184, 1088


def reverse(i):
    return int(f"{i:07b}"[::-1], 2)


ZETAS = [pow(17, reverse(i), Q) for i in range(128)]
GAMMAS = [pow(17, 2 * reverse(i) + 1, Q) for i in range(128)]


# Encoding (section 4.2.1)


def encode(bits, f):
    return sum(x << bits * i for i, x in enumerate(f)).to_bytes(32 * bits, "little")


def decode(bits, data):
    whole, mask = int.from_bytes(data, "little"), (1 << bits) - 1
    return [whole >> bits * i & mask for i in range(256)]


def decode_vector(bits, data):
    return [decode(bits, data[32 * bits * i : 32 * bits * (i + 1)]) for i in range(K)]


def compress(bits, f):
    return [((x << bits + 1) + Q) // (2 * Q) % (1 << bits) for x in f]


def decompress(bits, f):
    return [Q * x + (1 << bits - 1) >> bits for x in f]


# Sampling (section 4.2.2)


def sample_ntt(seed):
    length = 672
    while True:
        data, f = shake_128(seed).digest(length), []
        for a, b, c in zip(data[0::3], data[1::3], data[2::3]):
            f += [x for x in (a + 256 * (b % 16), b // 16 + 16 * c) if x < Q]
        if len(f) >= 256:
            return f[:256]
        length += 168


def sample_cbd(seed, number):
    data = shake_256(seed + bytes([number])).digest(64 * ETA)
    bit = [byte >> i & 1 for byte in data for i in range(8)]
    return [(bit[4 * i] + bit[4 * i + 1] - bit[4 * i + 2] - bit[4 * i + 3]) % Q for i in range(256)]


def matrix(rho):
    return [[sample_ntt(rho + bytes([j, i])) for j in range(K)] for i in range(K)]


# The number-theoretic transform (section 4.3)


def ntt(f):
    f, zetas = list(f), iter(ZETAS[1:])
    for length in (128, 64, 32, 16, 8, 4, 2):
        for start in range(0, 256, 2 * length):
            zeta = next(zetas)
            for j in range(start, start + length):
                t = zeta * f[j + length]
                f[j], f[j + length] = (f[j] + t) % Q, (f[j] - t) % Q
    return f


def inverse_ntt(f):
    f, zetas = list(f), iter(ZETAS[:0:-1])
    for length in (2, 4, 8, 16, 32, 64, 128):
        for start in range(0, 256, 2 * length):
            zeta = next(zetas)
            for j in range(start, start + length):
                a, b = f[j], f[j + length]
                f[j], f[j + length] = (a + b) % Q, zeta * (b - a) % Q
    return [x * 3303 % Q for x in f]


def add(*polynomials):
    return [sum(xs) % Q for xs in zip(*polynomials)]


def product(f, g):
    h = []
    for i, gamma in enumerate(GAMMAS):
        (a, b), (c, d) = f[2 * i : 2 * i + 2], g[2 * i : 2 * i + 2]
        h += [(a * c + b * d * gamma) % Q, (a * d + b * c) % Q]
    return h


def dot(fs, gs):
    return add(*map(product, fs, gs))


# K-PKE (section 5) and ML-KEM (section 6)


def key_pair(d, z):
    """The encapsulation key and the decapsulation key."""
    seeds = sha3_512(d + bytes([K])).digest()
    rho, sigma = seeds[:32], seeds[32:]
    s = [ntt(sample_cbd(sigma, i)) for i in range(K)]
    e = [ntt(sample_cbd(sigma, K + i)) for i in range(K)]
    t = [add(dot(row, s), e[i]) for i, row in enumerate(matrix(rho))]
    public = b"".join(encode(12, f) for f in t) + rho
    return public, b"".join(encode(12, f) for f in s) + public + sha3_256(public).digest() + z


def is_public_key(public):
    """The check of section 7.2: the length, and each coefficient below Q."""
    return len(public) == PUBLIC and all(x < Q for f in decode_vector(12, public) for x in f)


def encrypt(public, message, randomness):
    t, rows = decode_vector(12, public), matrix(public[-32:])
    y = [ntt(sample_cbd(randomness, i)) for i in range(K)]
    u = [add(inverse_ntt(dot(column, y)), sample_cbd(randomness, K + i)) for i, column in enumerate(zip(*rows))]
    v = add(inverse_ntt(dot(t, y)), sample_cbd(randomness, 2 * K), decompress(1, decode(1, message)))
    return b"".join(encode(DU, compress(DU, f)) for f in u) + encode(DV, compress(DV, v))


def encapsulate(public, message):
    """The shared secret and the ciphertext; `message` is 32 random bytes."""
    assert is_public_key(public)
    hashed = sha3_512(message + sha3_256(public).digest()).digest()
    return hashed[:32], encrypt(public, message, hashed[32:])


def decapsulate(private, ciphertext):
    """The shared secret, or after a failed check the one of implicit rejection."""
    s, public = decode_vector(12, private), private[384 * K : 384 * K + PUBLIC]
    u = [ntt(decompress(DU, f)) for f in decode_vector(DU, ciphertext)]
    v = decompress(DV, decode(DV, ciphertext[32 * DU * K :]))
    masked = inverse_ntt(dot(s, u))
    message = encode(1, compress(1, [(x - y) % Q for x, y in zip(v, masked)]))
    hashed = sha3_512(message + private[-64:-32]).digest()
    if encrypt(public, message, hashed[32:]) == ciphertext:
        return hashed[:32]
    return shake_256(private[-32:] + ciphertext).digest(32)
