using FailoverHub.Web.Data;
using Microsoft.EntityFrameworkCore;

namespace FailoverHub.Web.Identity;

/// <summary>Opens the hub's authority, the endpoint's certificate and the table of nodes, before any port is open.</summary>
internal sealed class IdentityRoom(HubIdentity identity, EndpointCertificates certificates, NodeRegister register, AgentsEndpoint endpoint)
{
    /// <exception cref="IdentityException">A key or certificate cannot be used.</exception>
    public async Task StartAsync(IDbContextFactory<HubDbContext> database, CancellationToken cancellationToken)
    {
        await identity.OpenAsync(cancellationToken);
        certificates.Current();
        await identity.RememberEndpointAsync(endpoint, cancellationToken);
        await using var db = await database.CreateDbContextAsync(cancellationToken);
        register.Load(await IdentityRecords.LoadAsync(db, cancellationToken));
    }
}
