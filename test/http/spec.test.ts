// The submitted spec read back: every field without secrets, and no secret in any field.
import { expect, it } from "vitest";
import { eachService } from "../support/each-service.ts";
import { image } from "../support/service.ts";

const canary = "canary-value-of-env";
const compose = "services: {web: {image: busybox, environment: {PASSWORD: canary-in-compose}}}\n";

eachService("the spec of a run", {}, (of) => {
  it("a spec has the fields of the submission with the values of the run's matrix", async () => {
    const { id } = await of().submit({
      runs: [
        {
          kind: "python",
          name: "train",
          code: "print(1)",
          requirements_content: "numpy\n",
          files: { "helpers/io.py": "X = 1\n" },
          execution_type: "cpu",
          timeout: 30,
          matrix: { LR: ["0.1", "0.01"] },
        },
      ],
    });
    const [, second] = await of().runsOf(id);
    const answer = await of().ann.get(`/v1/runs/${second?.id}/spec`);
    expect(answer.body).toEqual({
      run_id: second?.id,
      job_id: id,
      matrix: { LR: "0.01" },
      spec: {
        kind: "python",
        name: "train",
        code: "print(1)",
        requirements_content: "numpy\n",
        files: { "helpers/io.py": "X = 1\n" },
        execution_type: "cpu",
        timeout: 30,
      },
      note: null,
    });
  });

  it("a spec hides the values of env, logins and extra, wherever they stand", async () => {
    const run = {
      ...image(),
      docker_run_cmd: ["sh", "-c", `curl -H ${canary}`, "--user", "canary-user"],
      env: { TOKEN: canary, SHORT: "1" },
      docker_username: "canary-user",
      docker_password: "canary-password",
      extra: { future_field: { deep: ["canary-of-extra", 1.0] }, other: 7 },
    };
    const { id } = await of().submit({ runs: [run] });
    const [only] = await of().runsOf(id);
    for (const who of [of().ann, of().reader, of().admin]) {
      const answer = await who.get(`/v1/runs/${only?.id}/spec`);
      expect(answer.text).not.toContain("canary");
      expect(answer.body.spec).toMatchObject({
        docker_image_ref: "busybox",
        docker_run_cmd: ["sh", "-c", "curl -H [hidden]", "--user", "[hidden]"],
        env: { TOKEN: "[hidden]", SHORT: "[hidden]" },
        docker_username: "[hidden]",
        docker_password: "[hidden]",
        extra: { future_field: { deep: ["[hidden]", 1] }, other: 7 },
      });
    }
  });

  it("a spec shows only the names of docker_run_env", async () => {
    const { id } = await of().submit({
      runs: [image("", { docker_run_env: `A=${canary}\nB=x=y\n${canary}` })],
    });
    const [only] = await of().runsOf(id);
    const { spec } = (await of().ann.get(`/v1/runs/${only?.id}/spec`)).body;
    expect(spec.docker_run_env).toBe("A=[hidden]\nB=[hidden]\n[hidden]");
  });

  it("a spec shows a Compose file to the job's key, and to readers only that there is one", async () => {
    const { id } = await of().submit({ runs: [{ kind: "compose", compose_file_code: compose }] });
    const [only] = await of().runsOf(id);
    const path = `/v1/runs/${only?.id}/spec`;
    expect((await of().ann.get(path)).body).toMatchObject({
      spec: { compose_file_code: compose },
      note: null,
    });
    const readers = await of().reader.get(path);
    expect(readers.body).toMatchObject({ spec: { compose_file_code: null }, note: expect.any(String) });
    expect(readers.text).not.toContain("canary");
  });
});
