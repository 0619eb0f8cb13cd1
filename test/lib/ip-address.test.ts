// Which addresses webhooks may reach: each special range of IPv4 and IPv6, and the disguises of one as the other.
import { describe, expect, test } from "vitest";
import { addressJudge } from "../../src/lib/ip-address.ts";

const publicOnes = [
  "8.8.8.8",
  "1.1.1.1",
  "93.184.215.14",
  "172.32.0.1",
  "2606:4700::1111",
  "2a00:1450:4001::200e",
  // 8.8.8.8 as a network of IPv6 alone shows it.
  "64:ff9b::808:808",
];

const refusedOnes = {
  "this network": ["0.0.0.0", "0.1.2.3", "::"],
  loopback: ["127.0.0.1", "127.255.255.254", "::1"],
  "private networks": [
    "10.0.0.1",
    "172.16.0.1",
    "172.31.255.255",
    "192.168.1.1",
    "fc00::1",
    "fd12:3456::1",
    "fec0::1",
  ],
  "carrier-grade NAT": ["100.64.0.1", "100.127.255.255", "100.100.100.200"],
  "link-local and cloud metadata": [
    "169.254.169.254",
    "169.254.0.1",
    "fe80::1",
    "fe80::1%eth0",
    "fd00:ec2::254",
  ],
  "the host of a machine on Azure": ["168.63.129.16"],
  "multicast and broadcast": ["224.0.0.1", "239.255.255.255", "255.255.255.255", "ff02::1"],
  "documentation, benchmarks and the future": [
    "192.0.2.1",
    "198.51.100.1",
    "203.0.113.1",
    "198.18.0.1",
    "192.0.0.192",
    "240.0.0.1",
    "2001:db8::1",
    "3fff::1",
    "100::1",
  ],
  "IPv4 inside of IPv6, even a public one": [
    "::ffff:127.0.0.1",
    "::ffff:7f00:1",
    "::ffff:10.0.0.1",
    "::ffff:169.254.169.254",
    "::ffff:8.8.8.8",
    "::ffff:0:127.0.0.1",
    "::127.0.0.1",
    "::7f00:1",
    "::10.0.0.1",
  ],
  "NAT64, 6to4 and Teredo": [
    "64:ff9b::7f00:1",
    "64:ff9b::10.0.0.1",
    "64:ff9b::a9fe:a9fe",
    "64:ff9b::c0a8:101",
    "64:ff9b:0:0:0:1:808:808",
    "64:ff9b:1::a00:1",
    "2002:7f00:1::",
    "2001:0:7f00:1::1",
    "2001::1",
  ],
  "what is not global unicast": ["4000::1", "5f00::1", "8000::1", "1::1"],
  "what is no address": ["", "localhost", "1.2.3", "example.com", "::ffff:1.2.3", "1.2.3.4/8"],
};

describe("without exceptions", () => {
  const standing = addressJudge([]);
  test.each(publicOnes)("%s is public", (address) => expect(standing(address)).toBe("public"));
  test.each(Object.entries(refusedOnes))("%s is refused", (_, addresses) => {
    expect(addresses.filter((address) => standing(address) !== "refused")).toEqual([]);
  });
});

describe("a range that the operator named", () => {
  const standing = addressJudge(["10.1.0.0/16", "fd00::/8", "::1/128"]);
  test.each(["10.1.2.3", "::ffff:10.1.2.3", "64:ff9b::10.1.2.3", "fd00::5", "::1"])(
    "lets %s through",
    (address) => expect(standing(address)).toBe("allowed"),
  );
  test.each(["10.2.0.1", "::ffff:10.2.0.1", "127.0.0.1", "fc00::1", "169.254.169.254"])(
    "does not let %s through",
    (address) => expect(standing(address)).toBe("refused"),
  );
  test("a range that the operator named leaves public addresses what they are", () =>
    expect(standing("8.8.8.8")).toBe("public"));
});
