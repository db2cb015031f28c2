using System.Collections.Immutable;
using FailoverHub.Web.Alerts.Delivery;
using FailoverHub.Web.Alerts.Records;
using FailoverHub.Web.Operations;

namespace FailoverHub.Web.Alerts;

/// <summary>What is wrong, what was, and who has taken it on: what pages and the API need.</summary>
public interface IAlerts
{
    /// <summary>What is active now.</summary>
    AlertsNow Current { get; }

    /// <summary>The current state, then each newer one. A slow reader skips to the newest. Ends when cancelled.</summary>
    IAsyncEnumerable<AlertsNow> WatchAsync(CancellationToken cancellationToken);

    /// <summary>One alert, active or over; null: there is none with that id.</summary>
    Task<Alert?> FindAsync(string id, CancellationToken cancellationToken);

    /// <summary>Alerts, newest first.</summary>
    /// <param name="filter">Which.</param>
    /// <param name="before">Id of the alert that the page before ended with, null: from the newest.</param>
    /// <param name="limit">1 to 501.</param>
    /// <param name="cancellationToken">Stops it.</param>
    Task<ImmutableArray<Alert>> ListAsync(AlertFilter filter, string? before, int limit, CancellationToken cancellationToken);

    /// <summary>Who was told of an alert, newest first; at most 100.</summary>
    Task<ImmutableArray<DeliveryRecord>> DeliveriesAsync(string alert, CancellationToken cancellationToken);

    /// <summary>Changes an active alert. Audited, with the change or as refused.</summary>
    /// <param name="id">The alert.</param>
    /// <param name="change">What.</param>
    /// <param name="actor">Who; needs the right to operate.</param>
    /// <param name="cancellationToken">Stops it while nothing is written.</param>
    Task<AlertResult> ChangeAsync(string id, AlertChangeRequest change, Actor actor, CancellationToken cancellationToken);
}

/// <summary>What somebody wants of an alert.</summary>
public abstract record AlertChangeRequest
{
    private AlertChangeRequest(string action) => Action = action;

    /// <summary>For the audit.</summary>
    internal string Action { get; }

    /// <summary>Takes it on.</summary>
    /// <param name="Reason">Why, or what is being done: 3 to 500 characters.</param>
    public sealed record Acknowledge(string Reason) : AlertChangeRequest("alert-acknowledged");

    /// <summary>Gives it back.</summary>
    public sealed record Unacknowledge() : AlertChangeRequest("alert-unacknowledged");

    /// <summary>Nobody is told for a time.</summary>
    /// <param name="For">1 min to 30 days.</param>
    /// <param name="Reason">Why: 3 to 500 characters.</param>
    public sealed record Shelve(TimeSpan For, string Reason) : AlertChangeRequest("alert-shelved");

    /// <summary>People are told again.</summary>
    public sealed record Unshelve() : AlertChangeRequest("alert-unshelved");
}

/// <summary>What became of it.</summary>
public abstract record AlertResult
{
    private AlertResult()
    {
    }

    /// <summary>It is so now.</summary>
    /// <param name="Alert">As it stands.</param>
    public sealed record Done(Alert Alert) : AlertResult;

    /// <summary>There is none with that id.</summary>
    /// <param name="What">A sentence.</param>
    public sealed record NotFound(string What) : AlertResult;

    /// <summary>It makes no sense.</summary>
    /// <param name="Field">What of it.</param>
    /// <param name="Why">A sentence.</param>
    public sealed record Invalid(string Field, string Why) : AlertResult;

    /// <summary>It is over, or is so already.</summary>
    /// <param name="Why">A sentence.</param>
    public sealed record TooLate(string Why) : AlertResult;

    /// <summary>The right is missing.</summary>
    /// <param name="Why">A sentence.</param>
    public sealed record Forbidden(string Why) : AlertResult;

    /// <summary>It could not be audited, so nothing was done.</summary>
    /// <param name="Why">A sentence.</param>
    public sealed record Unavailable(string Why) : AlertResult;
}
