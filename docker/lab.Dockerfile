# The trial's route servers and fabric (compose.yaml); nothing for a real data center.
ARG BASE_IMAGE=mcr.microsoft.com/dotnet/aspnet:10.0
FROM ${BASE_IMAGE}
COPY dist/containers/lab/ /app/
ENV DOTNET_SYSTEM_GLOBALIZATION_INVARIANT=1 DOTNET_EnableDiagnostics=0
USER 65532:65532
ENTRYPOINT ["/app/failoverhub-lab"]
