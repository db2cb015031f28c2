using System.Collections.Immutable;
using System.Globalization;
using FailoverHub.Web.Alerts.Book;
using FailoverHub.Web.Alerts.Conditions;
using FailoverHub.Web.Alerts.Direct;
using FailoverHub.Web.Alerts.Maintenance;
using FailoverHub.Web.Alerts.Records;
using FailoverHub.Web.Alerts.Rules;
using FailoverHub.Web.Data;
using FailoverHub.Web.Fleet;

namespace FailoverHub.Web.Alerts;

/// <summary>
/// The loop "alerts": looks once a second, and once an hour takes away what is older than it is kept. It begins after the hub's other owners, with what an earlier run left, and ends
/// before them.
/// </summary>
internal sealed partial class AlertRoom(AlertSettings settings, AlertDesk desk, AlertSources sources, AlertStore store, AlertRoomTools tools) : BackgroundService
{
    private static readonly TimeSpan LookEvery = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan PruneEvery = TimeSpan.FromHours(1);

    /// <summary>As long as events are kept when nobody says otherwise.</summary>
    private static readonly TimeSpan AlertsKeptFor = TimeSpan.FromDays(400);

    private static readonly TimeSpan DeliveriesKeptFor = TimeSpan.FromDays(30);

    private readonly ILogger _logger = tools.Logger;

    public override async Task StartAsync(CancellationToken cancellationToken)
    {
        await settings.StartAsync(cancellationToken);
        await tools.Operations.StartAsync(cancellationToken);
        await tools.Maintenance.StartAsync(cancellationToken);
        await desk.StartAsync(cancellationToken);
        await base.StartAsync(cancellationToken);
    }

    /// <summary>Looks once, as the loop does each second.</summary>
    public async Task LookAsync(CancellationToken cancellationToken)
    {
        AlertFacts facts = sources.Gather();
        var policy = AlertPolicy.Of(settings.Rules, [.. settings.Channels.Where(c => c.Enabled).Select(c => new ChannelChoice(c.Id, c.MinimumSeverity))], QuietNow(facts.Fleet)) with { Afterwards = alert => AlertAfterwards.Of(facts, alert) };
        try
        {
            await desk.LookAsync(AlertConditions.Find(facts, settings.Rules), policy, cancellationToken);
            sources.StorageFails = false;
        }
        catch (Exception e) when (StorageFaults.IsStorageFault(e))
        {
            if (!sources.StorageFails)
            {
                LogNotStored(_logger, e);
            }

            sources.StorageFails = true;
        }

        // What is already told by an ordinary alert is not told twice.
        bool isTold = desk.Current.Active.Any(a => a is { Kind: AlertKind.HubStorage, LastToldAt: not null });
        tools.Direct.Look(facts.Hub.CannotWrite || sources.StorageFails, sources.StorageFails && !isTold, cancellationToken);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        Task following = tools.Operations.FollowAsync(stoppingToken);
        using var timer = new PeriodicTimer(LookEvery, tools.Time);
        long pruned = tools.Time.GetTimestamp();
        try
        {
            while (await timer.WaitForNextTickAsync(stoppingToken))
            {
                await LookAsync(stoppingToken);
                if (tools.Time.GetElapsedTime(pruned) >= PruneEvery)
                {
                    pruned = tools.Time.GetTimestamp();
                    await PruneAsync(stoppingToken);
                }
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The hub is stopping.
        }

        await following;
        await tools.Direct.EndAsync();
    }

    private async Task PruneAsync(CancellationToken stop)
    {
        DateTimeOffset now = tools.Time.GetUtcNow();
        try
        {
            while (await store.PruneAsync(now - AlertsKeptFor, now - DeliveriesKeptFor, stop))
            {
                stop.ThrowIfCancellationRequested();
            }

            await tools.Maintenance.PruneAsync(now - AlertsKeptFor, stop);
        }
        catch (Exception e) when (StorageFaults.IsStorageFault(e))
        {
            LogNotPruned(_logger, e);
        }
    }

    /// <summary>What keeps alerts quiet now, in words.</summary>
    private ImmutableArray<Quiet> QuietNow(FleetSnapshot fleet) =>
    [
        .. fleet.Freeze is { } all ? [new Quiet(Words(all), QuietReason.Freeze) { IsOfAll = true }] : Array.Empty<Quiet>(),
        .. fleet.Pairs.Where(p => p.Freeze is { OfAll: false }).Select(p => Quiet.OfPairs(Words(p.Freeze!), QuietReason.Freeze, p.Name)),
        .. tools.Maintenance.QuietNow(fleet),
        .. tools.Direct.Told is { } rule ? [new Quiet("people were told from the hub's memory", QuietReason.Told) { IsOfAll = true, RuleId = rule }] : Array.Empty<Quiet>(),
    ];

    private static string Words(FreezeView freeze) => $"frozen by {freeze.By} until {freeze.Until.UtcDateTime.ToString("yyyy-MM-dd HH:mm", CultureInfo.InvariantCulture)} UTC";

    [LoggerMessage(Level = LogLevel.Error, Message = "Alerts cannot be written; what is decided is decided again each second until they can")]
    private static partial void LogNotStored(ILogger logger, Exception exception);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Old alerts could not be taken away; it is tried again in an hour")]
    private static partial void LogNotPruned(ILogger logger, Exception exception);
}

/// <summary>Clock and log of the room, its way past the database, who says when nobody is told, and who knows which operations failed.</summary>
internal sealed record AlertRoomTools(TimeProvider Time, DirectAlarm Direct, MaintenanceDesk Maintenance, OperationFollowing Operations, ILogger<AlertRoom> Logger);
