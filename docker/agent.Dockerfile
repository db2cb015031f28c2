# The agent: one native file, in a container without root. scripts/containers.sh publish makes the file, or scripts/publish-agent.sh.
#
#   docker build -f docker/agent.Dockerfile -t failoverhub-agent .
#   docker run --rm -v agent:/state failoverhub-agent join --hub https://hub.example:5443 --token-file /state/token
#   docker run -d --network host -v agent:/state failoverhub-agent run --dcid 18 --primary
#
# On a node it needs the host's network, because the shared address is there; no capability, unless it adds addresses itself
# (--addresses managed: --cap-add NET_ADMIN, and --user 0).
# As process 1 of its container it takes what the commands of checks leave behind from the table of processes itself: no --init, no tini.
# BASE_IMAGE is anything with a glibc as new as that of the machine that published, and OpenSSL 3.
ARG BASE_IMAGE=mcr.microsoft.com/dotnet/runtime-deps:10.0
FROM ${BASE_IMAGE}
ARG PLATFORM=linux-x64

COPY dist/${PLATFORM}/failoverhub-agent /usr/local/bin/failoverhub-agent
# Intent, local orders, journal and who the node is: an agent that starts again does what it was last told.
COPY --chown=65532:65532 --chmod=700 dist/containers/empty/ /state/

ENV FAILOVERHUB_AGENT_STATE=/state
USER 65532:65532
VOLUME /state
# It answers on its control socket; whether sessions are up is no matter of restarting it.
HEALTHCHECK --interval=10s --timeout=5s --start-period=20s --retries=3 CMD ["failoverhub-agent", "status", "--state", "/state"]
ENTRYPOINT ["failoverhub-agent"]
CMD ["run"]
