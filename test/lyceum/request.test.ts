import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { ComposeSpec, GpuSelectionSpec, ImageSpec, PythonSpec } from "../../src/domain/spec.ts";
import { executionIdIn, startRequest } from "../../src/lyceum/request.ts";

const executionId = "exe_01k4abcdefghjkmnpqrstvwxyz";
const callbackUrl = "https://proctor.example.test/callbacks/lyceum/x/token";
const options = { executionId, callbackUrl };

const python: PythonSpec = { kind: "python", code: "print(1)", execution_type: "cpu", timeout: 60 };
const image: ImageSpec = {
  kind: "image",
  docker_image_ref: "python:3.13",
  docker_run_cmd: [],
  execution_type: "gpu.a100",
  enable_s3_mount: false,
  timeout: 600,
};
const compose: ComposeSpec = {
  kind: "compose",
  compose_file_code: "services: {}\n",
  execution_type: "cpu",
  enable_s3_mount: true,
  timeout: 90,
};
const gpuSelection: GpuSelectionSpec = { kind: "gpu_selection", code: "print(3)", timeout: 60 };

describe("a start's request", () => {
  test("a start's request for Python names the hardware execution_type and sends no field that is not set", () => {
    expect(startRequest(python, options)).toMatchObject({
      path: "/execution/streaming/start",
      body: {
        code: "print(1)",
        execution_type: "cpu",
        timeout: 60,
        file_name: executionId,
        user_callback_urls: [callbackUrl],
      },
    });
    expect(Object.keys(startRequest(python, options).body)).toHaveLength(5);
  });

  test("a start's request for Python carries requirements, imports and files under the newest names", () => {
    const { body } = startRequest(
      {
        ...python,
        nbcode: 0,
        requirements_content: "numpy\n",
        prior_imports: ["numpy"],
        kernel_state: "k",
        files: { "helpers/io.py": 'X = "é"\n' },
      },
      options,
    );
    expect(body).toMatchObject({
      nbcode: 0,
      requirements_content: "numpy\n",
      prior_imports: ["numpy"],
      kernel_state: "k",
    });
    expect(JSON.parse(String(body.import_files))).toEqual({ "helpers/io.py": 'X = "é"\n' });
  });

  test("a start's request for Python turns env into a statement before the code", () => {
    const { body } = startRequest({ ...python, env: { LR: "0.1" } }, options);
    expect(body.code).toMatch(/^__import__\("os"\)\.environ\.update\(.*\); print\(1\)$/);
    expect(body).not.toHaveProperty("env");
  });

  test("a start's request for an image always says command, mount and time-out, and joins the environment by newlines", () => {
    const { path, body } = startRequest(
      { ...image, docker_run_env: "A=1", env: { B: "two words", C: "x=y" }, graceful_timeout: 5 },
      options,
    );
    expect(path).toBe("/execution/image/start");
    expect(body).toEqual({
      docker_image_ref: "python:3.13",
      docker_run_cmd: [],
      docker_run_env: "A=1\nB=two words\nC=x=y",
      execution_type: "gpu.a100",
      enable_s3_mount: false,
      graceful_timeout: 5,
      timeout: 600,
      file_name: executionId,
      user_callback_urls: [callbackUrl],
    });
  });

  test("a start's request for a registry in ECR sends aws_region", () => {
    const { body } = startRequest(
      { ...image, docker_registry_credential_type: "aws", aws_region: "eu-1" },
      options,
    );
    expect(body).toMatchObject({ docker_registry_credential_type: "aws", aws_region: "eu-1" });
    expect(body).not.toHaveProperty("region");
  });

  test("a start's request for Compose sends the file's text", () => {
    expect(startRequest(compose, options)).toMatchObject({
      path: "/execution/compose/start",
      body: { compose_file_code: "services: {}\n", enable_s3_mount: true, user_callback_urls: [callbackUrl] },
    });
  });

  test("a start's request for a GPU selection sends neither hardware nor callbacks", () => {
    const { path, body } = startRequest(gpuSelection, options);
    expect(path).toBe("/execution/gpu_selection/start");
    expect(body).toEqual({ code: "print(3)", timeout: 60, file_name: executionId });
  });

  test("a start's request asks for no callback where there is no URL", () => {
    expect(startRequest(python, { executionId, callbackUrl: null }).body).not.toHaveProperty(
      "user_callback_urls",
    );
  });

  test("a start's request passes extra through, but never lets it set the file name or the callbacks", () => {
    const extra = {
      new_field: [1],
      timeout: 30,
      file_name: "x",
      user_callback_urls: ["https://evil.example"],
    };
    expect(startRequest({ ...python, extra }, options).body).toMatchObject({
      new_field: [1],
      timeout: 30,
      file_name: executionId,
      user_callback_urls: [callbackUrl],
    });
    const { body } = startRequest({ ...gpuSelection, extra }, { executionId, callbackUrl: null });
    expect(body).not.toHaveProperty("user_callback_urls");
  });

  test("a start's request knows its secrets", () => {
    const spec = {
      ...image,
      docker_run_env: "A=first B=second",
      env: { C: "third" },
      docker_password: "fourth",
    };
    expect(startRequest(spec, options).secrets).toEqual(
      expect.arrayContaining([callbackUrl, "first", "second", "third", "fourth"]),
    );
  });
});

describe("the file name", () => {
  const nameOf = (name: string) => String(startRequest({ ...python, name }, options).body.file_name);

  test("the file name carries the id and the run's name", () => {
    expect(nameOf("train.py")).toBe(`${executionId}-train.py`);
  });

  test("the file name keeps only harmless characters", () => {
    expect(nameOf("../a b/é.py")).toBe(`${executionId}-a-b-.py`);
    expect(nameOf("///")).toBe(executionId);
  });

  test("the file name gives the id back, whatever the name", () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 300 }), (name) => {
        const fileName = nameOf(name);
        expect(fileName).toMatch(/^[A-Za-z0-9._-]{30,91}$/);
        expect(executionIdIn(fileName)).toBe(executionId);
      }),
    );
  });

  test("the file name gives the id back wherever it stands, also in capitals", () => {
    expect(executionIdIn(`runs/2026/${executionId}.py`)).toBe(executionId);
    expect(executionIdIn(executionId.toUpperCase())).toBe(executionId);
  });

  test.each([null, undefined, "", "sum.py", "exe_short", `${executionId}0`])("%j carries none", (name) => {
    expect(executionIdIn(name)).toBe(null);
  });
});
