# syntax=docker/dockerfile:1
# A drop-in for the image of Kratos: `kratos` is the entry point and on the PATH, any uid works, nothing is written to disk.

FROM node:22-bookworm-slim AS build
WORKDIR /build
COPY package.json package-lock.json .npmrc ./
# Install scripts belong to test tools; what the server needs comes prebuilt.
RUN npm ci --ignore-scripts
COPY tsconfig.json tsconfig.build.json ./
COPY src src
COPY scripts/after-build.mjs scripts/
COPY migrations migrations
RUN npm run build && npm prune --omit=dev --ignore-scripts

FROM node:22-bookworm-slim
# The package managers are only an attack surface here.
RUN rm -rf /usr/local/lib/node_modules /usr/local/bin/npm /usr/local/bin/npx /usr/local/bin/corepack /opt/yarn* /usr/local/bin/yarn*
WORKDIR /opt/lethe
COPY --from=build /build/node_modules node_modules
COPY --from=build /build/dist dist
COPY package.json LICENSE ./
COPY migrations migrations
COPY config/identity.default.schema.json config/
RUN ln -s /opt/lethe/dist/cli.js /usr/local/bin/kratos && ln -s /opt/lethe/dist/cli.js /usr/local/bin/lethe
# Paths such as file://./identity.schema.json are relative to the folder that the process is started in, as with Kratos.
WORKDIR /
# By number, so that Kubernetes can see that it is not root. No home folder and no passwd entry are needed.
USER 65532:65532
EXPOSE 4433 4434
# Alive, not ready: a container is not to be killed because its database is away.
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s --retries=3 \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.SERVE_PUBLIC_PORT || 4433}/health/alive`).then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["kratos"]
CMD ["serve"]
