# The hub, in a container without root. It copies what scripts/containers.sh publish made, so no SDK is in the image and none is downloaded:
#
#   scripts/containers.sh publish
#   docker build -f docker/hub.Dockerfile -t failoverhub .
#   docker run -d --name hub -v failoverhub:/data -p 127.0.0.1:5080:5080 -p 5443:5443 failoverhub
#   docker logs hub                                         # the sign-in link
#
# BASE_IMAGE is anything with the ASP.NET Core 10 runtime in /usr/share/dotnet or /usr/lib/dotnet, OpenSSL 3 and nothing else.
ARG BASE_IMAGE=mcr.microsoft.com/dotnet/aspnet:10.0
FROM ${BASE_IMAGE}

COPY dist/containers/hub/ /app/
# Database, keys and certificate authority: keep this volume, and back it up. A numeric user needs no /etc/passwd.
COPY --chown=65532:65532 --chmod=700 dist/containers/empty/ /data/

# Plain http inside: publish the port on loopback only, or put a proxy with TLS before it. Texts are English, so no ICU is needed.
ENV FAILOVERHUB_DATA=/data \
    FAILOVERHUB_URLS=http://0.0.0.0:5080 \
    DOTNET_SYSTEM_GLOBALIZATION_INVARIANT=1 \
    DOTNET_EnableDiagnostics=0

USER 65532:65532
VOLUME /data
EXPOSE 5080 5443
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 CMD ["/app/failoverhub", "ready"]
ENTRYPOINT ["/app/failoverhub"]
CMD ["run"]
