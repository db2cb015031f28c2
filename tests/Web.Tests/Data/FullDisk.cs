using FailoverHub.Web.Data;
using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;

namespace FailoverHub.Web.Tests.Data;

/// <summary>A disk of the hub's that can be full for a while: nothing can be read from its database or written to it then.</summary>
internal sealed class FullDisk
{
    public volatile bool IsFull;
    private int _refused;

    /// <summary>How often somebody has tried while it was full.</summary>
    public int Refused => Volatile.Read(ref _refused);

    /// <summary>Until somebody has tried once more, which takes no time of the clock.</summary>
    /// <param name="after">As many tries are not waited for.</param>
    public async Task RefusesAsync(int after)
    {
        using var safety = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        safety.CancelAfter(TimeSpan.FromSeconds(60));
        while (Refused <= after)
        {
            safety.Token.ThrowIfCancellationRequested();
            await Task.Yield();
        }
    }

    public void Install(IServiceCollection services)
    {
        ServiceDescriptor real = services.Last(s => s.ServiceType == typeof(IDbContextFactory<HubDbContext>));
        services.AddSingleton<IDbContextFactory<HubDbContext>>(all => new Factory(
            (IDbContextFactory<HubDbContext>)(real.ImplementationFactory?.Invoke(all) ?? ActivatorUtilities.CreateInstance(all, real.ImplementationType!)), this));
    }

    private sealed class Factory(IDbContextFactory<HubDbContext> real, FullDisk disk) : IDbContextFactory<HubDbContext>
    {
        public HubDbContext CreateDbContext()
        {
            if (disk.IsFull)
            {
                Interlocked.Increment(ref disk._refused);
                throw new SqliteException("database or disk is full", 13);
            }

            return real.CreateDbContext();
        }
    }
}
