// The variant without waiting: a worker only submits, and the end comes back as a webhook that makes a follow-up job.
import { type Client, verifyWebhook, WebhookVerificationError } from "proctor/client";
import { type QueueJob, submit } from "./processor.ts";

/** The part of a BullMQ queue that the handler uses. */
export interface FollowUps {
  add(name: string, data: { proctorJobId: string }, options: { jobId: string }): Promise<unknown>;
}

/** Ends as soon as Proctor has the job: durable there, it needs no worker here. */
export function createSubmitter(proctor: Client, webhookUrl: string) {
  return async (job: QueueJob): Promise<string> => {
    const request = { ...job.data, webhook_url: webhookUrl };
    return (await submit(proctor, job, request)).id;
  };
}

/** Answers Proctor's deliveries. @param secret the service's WEBHOOK_SECRET */
export function createWebhookHandler(secret: string, followUps: FollowUps) {
  return async (request: Request): Promise<Response> => {
    try {
      const { type, data } = await verifyWebhook(secret, request.headers, await request.text());
      // A delivery may come more than once. BullMQ takes no second job of the same id, and no colon in one.
      await followUps.add(type, { proctorJobId: data.job_id }, { jobId: `ended-${data.job_id}` });
      return new Response(null, { status: 204 });
    } catch (error) {
      if (error instanceof WebhookVerificationError) return new Response(error.message, { status: 401 });
      throw error;
    }
  };
}
