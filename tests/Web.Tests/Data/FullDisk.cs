using FailoverHub.Web.Data;
using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;

namespace FailoverHub.Web.Tests.Data;

/// <summary>A disk of the hub's that can be full for a while: nothing can be read from its database or written to it then.</summary>
internal sealed class FullDisk
{
    public volatile bool IsFull;

    public void Install(IServiceCollection services)
    {
        ServiceDescriptor real = services.Last(s => s.ServiceType == typeof(IDbContextFactory<HubDbContext>));
        services.AddSingleton<IDbContextFactory<HubDbContext>>(all => new Factory(
            (IDbContextFactory<HubDbContext>)(real.ImplementationFactory?.Invoke(all) ?? ActivatorUtilities.CreateInstance(all, real.ImplementationType!)), this));
    }

    private sealed class Factory(IDbContextFactory<HubDbContext> real, FullDisk disk) : IDbContextFactory<HubDbContext>
    {
        public HubDbContext CreateDbContext() => disk.IsFull ? throw new SqliteException("database or disk is full", 13) : real.CreateDbContext();
    }
}
