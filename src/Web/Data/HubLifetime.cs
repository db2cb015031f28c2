using FailoverHub.Web.Fleet;
using FailoverHub.Web.History;
using FailoverHub.Web.Identity;
using FailoverHub.Web.Operations;
using FailoverHub.Web.Operations.Freezes;
using FailoverHub.Web.Operations.Running;
using Microsoft.EntityFrameworkCore;

namespace FailoverHub.Web.Data;

/// <summary>The owners that begin and end in order.</summary>
internal sealed record HubRooms(IdentityRoom Identity, HubWriter Writer, FleetStore Fleet, SqliteHistory History, OperationSettlement Settlement, OperationDesk Desk, EventLog Events, FreezeKeeper Freezes);

/// <summary>
/// Begins the hub's owners before any port is open and ends them after the ports are closed: who asks for operations first, then who
/// settles them, then the present, then the writer, which takes what the others still had to say. An owner that ends by a defect ends the
/// hub: a present that no longer moves would be shown as current.
/// </summary>
internal sealed partial class HubLifetime(HubRooms rooms, HubLock alone, IDbContextFactory<HubDbContext> database, IHostApplicationLifetime host, ILogger<HubLifetime> logger) : IHostedService
{
    private IAsyncDisposable? _lock;

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        _lock = await alone.TakeAsync(cancellationToken);
        try
        {
            await StartRoomsAsync(cancellationToken);
        }
        catch (Exception)
        {
            // Nobody stops what has not started; the folder is free for the next one.
            await GiveBackAsync();
            throw;
        }
    }

    // A host that could not start may be stopped all the same.
    private async ValueTask GiveBackAsync()
    {
        if (Interlocked.Exchange(ref _lock, null) is { } held)
        {
            await held.DisposeAsync();
        }
    }

    private async Task StartRoomsAsync(CancellationToken cancellationToken)
    {
        await HubDatabase.MigrateAsync(database, cancellationToken);
        await rooms.Identity.StartAsync(database, cancellationToken);
        await rooms.History.StartAsync(cancellationToken);
        var stored = await FleetRecords.LoadAsync(database, cancellationToken);
        Guard(rooms.Writer.Start());
        Guard(rooms.Fleet.Start(stored));
        rooms.Events.Append(EventKinds.HubStarted, "The hub started. What the nodes do now is not known until they report.");
        await rooms.Settlement.StartAsync(cancellationToken);
        await rooms.Freezes.StartAsync(cancellationToken);
        await rooms.Desk.StartAsync(cancellationToken);
    }

    public async Task StopAsync(CancellationToken cancellationToken)
    {
        await rooms.Desk.DisposeAsync();
        await rooms.Freezes.DisposeAsync();
        await rooms.Settlement.DisposeAsync();
        await rooms.Fleet.DisposeAsync();
        rooms.Events.Append(EventKinds.HubStopped, "The hub stopped. The nodes go on with what they were last told.");
        await rooms.Writer.DisposeAsync();
        await GiveBackAsync();
    }

    private void Guard(Task owner) => owner.ContinueWith(
        ended =>
        {
            LogDefect(logger, ended.Exception!);
            host.StopApplication();
        },
        CancellationToken.None,
        TaskContinuationOptions.OnlyOnFaulted | TaskContinuationOptions.ExecuteSynchronously,
        TaskScheduler.Default);

    [LoggerMessage(Level = LogLevel.Critical, Message = "A part of the hub has ended by a defect, so the hub stops; the nodes go on without it")]
    private static partial void LogDefect(ILogger logger, Exception exception);
}
