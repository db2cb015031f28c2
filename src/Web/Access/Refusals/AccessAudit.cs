using System.Net;
using FailoverHub.Web.Data;
using FailoverHub.Web.History;
using FailoverHub.Web.Operations;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace FailoverHub.Web.Access.Refusals;

/// <summary>
/// The audit as whoever asks to be let in sees it: what changes something is an entry each; what is refused is one each, so many a minute, and then a number.
/// </summary>
internal sealed partial class AccessAudit(AuditLog audit, RefusalTally tally, ILogger<AccessAudit> logger)
{
    /// <summary>What somebody without rights may write into one entry, in characters.</summary>
    public const int LongestOutcome = 500;

    private const string Nobody = "nobody";

    /// <summary>Of the entry after which the rest of the minute is counted.</summary>
    public const string RestIsCounted = "; further ones of this minute are counted and told together";

    /// <summary>As <see cref="AuditLog.ChangeAsync"/>: entry and change in one transaction.</summary>
    /// <exception cref="Microsoft.EntityFrameworkCore.DbUpdateException">It could not be written; nothing was done.</exception>
    public Task ChangeAsync(AuditDraft draft, Func<HubDbContext, CancellationToken, Task> change, CancellationToken cancellationToken) => audit.ChangeAsync(draft, change, cancellationToken);

    /// <summary>Keeps that somebody was refused: by an entry, or in the number of this minute.</summary>
    /// <exception cref="Microsoft.EntityFrameworkCore.DbUpdateException">It could not be written.</exception>
    public Task RefuseAsync(AuditDraft draft, CancellationToken cancellationToken)
    {
        RefusalEntry entry = tally.Note(draft.Action, SourceOf(draft.Actor), draft.Actor.Name != Nobody);
        if (entry == RefusalEntry.Counted)
        {
            return Task.CompletedTask;
        }

        if (entry == RefusalEntry.LastOfThisMinute)
        {
            LogFlood(logger, RefusalTally.OneByOne, draft.Action);
        }

        string outcome = Cut.To(draft.Outcome, LongestOutcome) + (entry == RefusalEntry.LastOfThisMinute ? RestIsCounted : "");
        return audit.WriteAsync(draft with { Outcome = outcome }, cancellationToken);
    }

    /// <summary>The same for what changed nothing, and therefore stays refused when it cannot be written; then the log says so.</summary>
    /// <param name="draft">What was refused.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <param name="always">By an entry of its own in any case: whoever calls it sees to a bound.</param>
    /// <returns>False: it could not be written.</returns>
    public async Task<bool> TryRefuseAsync(AuditDraft draft, CancellationToken cancellationToken, bool always = false)
    {
        try
        {
            await (always ? audit.WriteAsync(draft with { Outcome = Cut.To(draft.Outcome, LongestOutcome) }, cancellationToken) : RefuseAsync(draft, cancellationToken));
            return true;
        }
        catch (Exception fault) when (StorageFaults.IsStorageFault(fault))
        {
            LogNotAudited(logger, draft.Actor.Name, draft.Action, draft.Target, fault.GetBaseException().Message);
            return false;
        }
    }

    /// <summary>Keeps that somebody was refused, only as part of a number: what it is was told by an entry before.</summary>
    public void Count(string action, Actor actor) => tally.Count(action, SourceOf(actor));

    /// <summary>Pure. Who is known counts by his name, else his address; an IPv6 host has a /64 to itself (RFC 4291 section 2.5.1).</summary>
    internal static string SourceOf(Actor actor) =>
        actor.Name != Nobody ? actor.Name
        : actor.RemoteAddress is null ? "an unknown address"
        : IPAddress.TryParse(actor.RemoteAddress, out IPAddress? address) && address is { AddressFamily: System.Net.Sockets.AddressFamily.InterNetworkV6, IsIPv4MappedToIPv6: false }
            ? $"{new IPAddress([.. address.GetAddressBytes().AsSpan(0, 8), .. new byte[8]])}/64"
        : actor.RemoteAddress;

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Limit} refusals of '{Action}' came within a minute; the rest of this minute's are counted, and the audit gets their number")]
    private static partial void LogFlood(ILogger logger, int limit, string action);

    [LoggerMessage(Level = LogLevel.Error, Message = "{Actor} was refused {Action} {Target}, and the audit could not be written: {Why}")]
    private static partial void LogNotAudited(ILogger logger, string actor, string action, string target, string why);
}

/// <summary>For the hub, and for its command line.</summary>
internal static class AccessAuditServices
{
    public static IServiceCollection AddAccessAudit(this IServiceCollection services)
    {
        services.TryAddSingleton<RefusalTally>();
        services.TryAddSingleton<AccessAudit>();
        return services;
    }
}
