# syntax=docker/dockerfile:1
# Proctor as an image: production packages and the TypeScript sources, which Node 26 runs as they are.

FROM node:26.10.0-slim AS packages
WORKDIR /app
# Only these two decide about the packages: an edit of the sources leaves this layer in the cache.
COPY package.json package-lock.json ./
RUN --mount=type=cache,target=/root/.npm npm ci --omit=dev

FROM node:26.10.0-slim
ENV NODE_ENV=production \
    PORT=8080 \
    DATABASE_URL=sqlite:/data/proctor.db
WORKDIR /app
# A new volume takes over the owner of the folder that it covers.
RUN install --directory --owner=node --group=node /data
COPY --from=packages /app/node_modules ./node_modules
COPY package.json ./
COPY migrations ./migrations
COPY src ./src
USER node
VOLUME /data
EXPOSE 8080
# Alive, not ready: a container that waits for its database must not be restarted for it.
HEALTHCHECK --interval=30s --timeout=5s --start-period=20s --retries=3 \
  CMD ["node", "-e", "fetch('http://127.0.0.1:' + process.env.PORT + '/livez').then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
# Exec form: a shell in between would keep the signal to itself, and runs would not be handed back.
STOPSIGNAL SIGTERM
CMD ["node", "src/main.ts"]
