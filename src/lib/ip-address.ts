// Addresses that webhooks may reach: subscribers choose the URL, and could send Proctor into its own network.
import { isIP } from "node:net";
import ipaddr from "ipaddr.js";

/** `allowed`: inside a range that the operator named. */
export type Standing = "public" | "allowed" | "refused";

export function addressJudge(cidrs: readonly string[]): (address: string) => Standing {
  const ranges = cidrs.map((cidr) => ipaddr.parseCIDR(cidr));
  return (text) => {
    // Stricter than the library, which accepts 1.2.3 as an address, as old resolvers do.
    if (isIP(text) === 0) return "refused";
    const address = behindNat64(ipaddr.parse(text));
    // An IPv4-mapped IPv6 address is compared as IPv4 as well.
    const unmapped = ipaddr.process(address.toString());
    const isAllowed = ranges.some(([range, bits]) =>
      [address, unmapped].some((form) => form.kind() === range.kind() && form.match(range, bits)),
    );
    if (isAllowed) return "allowed";
    return isPublic(address) ? "public" : "refused";
  };
}

type Address = ReturnType<typeof ipaddr.parse>;

/** In a network of IPv6 alone every IPv4 address has this prefix [RFC 6052]: connections go to the IPv4 address. */
function behindNat64(address: Address): Address {
  if (address.kind() !== "ipv6" || !address.match(nat64)) return address;
  return ipaddr.fromByteArray(address.toByteArray().slice(-4));
}

const nat64 = ipaddr.parseCIDR("64:ff9b::/96");

function isPublic(address: Address): boolean {
  if (address.range() !== "unicast" || address.toString() === AZURE_HOST) return false;
  // Outside of 2000::/3 no address is global [RFC 4291 2.4], the old IPv4-compatible addresses included.
  return address.kind() === "ipv4" || address.match(globalUnicast);
}

const globalUnicast = ipaddr.parseCIDR("2000::/3");
/** A public address, but inside of Azure it is the machine's host. */
const AZURE_HOST = "168.63.129.16";
