// Deliveries over HTTPS: the certificate must be the name's, while the connection goes to the address that was checked.
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { getCACertificates, setDefaultCACertificates } from "node:tls";
import { expect, onTestFinished, test } from "vitest";
import { readLog } from "../../../src/store/deliveries.ts";
import { onSqlite } from "../../support/databases.ts";
import { submitted } from "../../support/scene.ts";
import { lastError, receiverOf, sceneOf, subscribe } from "../delivering.ts";

/** Made for these tests with `openssl req -x509`, for hook.example, valid until 2126. It opens nothing. */
const cert = `-----BEGIN CERTIFICATE-----
MIIBnTCCAUSgAwIBAgIUMnM7BzzZSb4pRoRXacCtSywGCRUwCgYIKoZIzj0EAwIw
FzEVMBMGA1UEAwwMaG9vay5leGFtcGxlMCAXDTI2MTEyMjAwMjY0OFoYDzIxMjYx
MDI5MDAyNjQ4WjAXMRUwEwYDVQQDDAxob29rLmV4YW1wbGUwWTATBgcqhkjOPQIB
BggqhkjOPQMBBwNCAATquNFPSFD6TJv7SsEwN/S/7wwhTqDJqEsggK9IDIJmQ/4m
NNZCovxUeIhWsgx8LgWUAzH0m4B6OXvJRyOp64MAo2wwajAdBgNVHQ4EFgQUonzN
BTzN/CpYrXLuDh2pmFRbJnowHwYDVR0jBBgwFoAUonzNBTzN/CpYrXLuDh2pmFRb
JnowDwYDVR0TAQH/BAUwAwEB/zAXBgNVHREEEDAOggxob29rLmV4YW1wbGUwCgYI
KoZIzj0EAwIDRwAwRAIgZHDOnqw/X60wbPmsuvGmIgOXSd0ERO82zQu4bD4AvLwC
IAiy8UU03LRXA1Qj5OOWQvoVL2l/7yjbdIYJ+7BIhtjR
-----END CERTIFICATE-----
`;
const key = `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgV9rir5pAwSXK3sPI
m2wfnm/JLai09VfciQ5C9RGFsu+hRANCAATquNFPSFD6TJv7SsEwN/S/7wwhTqDJ
qEsggK9IDIJmQ/4mNNZCovxUeIhWsgx8LgWUAzH0m4B6OXvJRyOp64MA
-----END PRIVATE KEY-----
`;

const resolve = async () => [{ address: "127.0.0.1", family: 4 }];

async function secureReceiver() {
  const seen: { host: string | undefined; servername: string | false | null | undefined }[] = [];
  const server = createServer({ cert, key }, (request, response) => {
    const { servername } = request.socket as { servername?: string };
    seen.push({ host: request.headers.host, servername });
    response.writeHead(204).end();
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  onTestFinished(() => void server.close());
  return { seen, port: (server.address() as AddressInfo).port };
}

onSqlite("a delivery over HTTPS", (open) => {
  test("a delivery over HTTPS asks for the name's certificate and reaches the checked address", async () => {
    const trusted = getCACertificates("default");
    setDefaultCACertificates([...trusted, cert]);
    onTestFinished(() => setDefaultCACertificates(trusted));
    const { seen, port } = await secureReceiver();
    const scene = sceneOf(await open(), { resolve });
    await subscribe(scene.context, `https://hook.example:${port}/`);
    await submitted(scene.context, 1);
    await scene.work();
    expect(readLog((await scene.sole()).log)).toMatchObject([{ status: 204, error: null }]);
    expect(seen).toEqual([{ host: `hook.example:${port}`, servername: "hook.example" }]);

    await subscribe(scene.context, `https://other.example:${port}/`, ["run.queued"]);
    await submitted(scene.context, 1);
    await scene.work();
    expect(seen).toHaveLength(2);
    expect((await scene.deliveries()).filter((one) => one.type === "run.queued").map(lastError)).toEqual([
      "ERR_TLS_CERT_ALTNAME_INVALID",
    ]);
  });

  test("a delivery over HTTPS to whom nobody vouches for, or to a server without TLS, is not made", async () => {
    const { seen, port } = await secureReceiver();
    const plain = await receiverOf();
    const scene = sceneOf(await open(), { resolve });
    await subscribe(scene.context, `https://hook.example:${port}/`);
    await subscribe(scene.context, `https://hook.example:${plain.port}/`);
    await submitted(scene.context, 1);
    await scene.work();
    const errors = (await scene.deliveries()).map(lastError);
    expect(errors).toEqual(["DEPTH_ZERO_SELF_SIGNED_CERT", expect.stringMatching(/EPROTO|SSL/)]);
    expect([...seen, ...plain.received]).toEqual([]);
  });
});
