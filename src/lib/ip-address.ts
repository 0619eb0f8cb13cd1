// Which addresses webhooks may reach: public ones, and those that the operator named. A subscriber chooses the URL,
// so that without this Proctor could be sent into its own network.
import { isIP } from "node:net";
import ipaddr from "ipaddr.js";

/** `allowed`: inside a range that the operator named. */
export type Standing = "public" | "allowed" | "refused";

/** @param cidrs ranges that may be reached although they are not public. */
export function addressJudge(cidrs: readonly string[]): (address: string) => Standing {
  const ranges = cidrs.map((cidr) => ipaddr.parseCIDR(cidr));
  return (text) => {
    // Stricter than the library, which takes 1.2.3 for an address, as old resolvers do.
    if (isIP(text) === 0) return "refused";
    const address = behindNat64(ipaddr.parse(text));
    // An IPv4 address in IPv6's clothes is the address that the operator thought of.
    const meant = ipaddr.process(address.toString());
    const isNamed = ranges.some(([range, bits]) =>
      [address, meant].some((one) => one.kind() === range.kind() && one.match(range, bits)),
    );
    if (isNamed) return "allowed";
    return isPublic(address) ? "public" : "refused";
  };
}

type Address = ReturnType<typeof ipaddr.parse>;

/** In a network of IPv6 alone every IPv4 address appears behind this prefix [RFC 6052]: the one inside is connected to. */
function behindNat64(address: Address): Address {
  if (address.kind() !== "ipv6" || !address.match(nat64)) return address;
  return ipaddr.fromByteArray(address.toByteArray().slice(-4));
}

const nat64 = ipaddr.parseCIDR("64:ff9b::/96");

function isPublic(address: Address): boolean {
  if (address.range() !== "unicast" || address.toString() === AZURE_HOST) return false;
  // Outside of 2000::/3 nothing is global [RFC 4291 2.4]; among it are the old IPv4-compatible addresses.
  return address.kind() === "ipv4" || address.match(globalUnicast);
}

const globalUnicast = ipaddr.parseCIDR("2000::/3");
/** A public address by its number, but inside of Azure it is the machine's host. */
const AZURE_HOST = "168.63.129.16";
