using System.Globalization;
using FailoverHub.Web.Data;
using FailoverHub.Web.History;
using FailoverHub.Web.Operations;

namespace FailoverHub.Web.Access.Refusals;

/// <summary>
/// Tells what <see cref="RefusalTally"/> has counted: one audit entry for each kind and minute, with the number and where most came from. One loop; what is not
/// told when the hub stops is told then, and what cannot be written is kept and told with the next.
/// </summary>
internal sealed partial class RefusalReports(RefusalTally tally, AuditLog audit, TimeProvider time, ILogger<RefusalReports> logger) : BackgroundService
{
    private const int Named = 10;

    /// <summary>Pure. The outcome that the entry says.</summary>
    internal static string OutcomeOf(RefusalSum sum)
    {
        var named = sum.Sources.Where(s => s.Key.Length > 0).OrderByDescending(s => s.Value).ThenBy(s => s.Key, StringComparer.Ordinal).Take(Named).ToArray();
        long others = sum.Count - named.Sum(s => s.Value);
        string list = string.Join(", ", named.Select(s => string.Create(CultureInfo.InvariantCulture, $"{s.Key} {s.Value}")));
        string rest = others > 0 ? string.Create(CultureInfo.InvariantCulture, $", others {others}") : "";
        return string.Create(
            CultureInfo.InvariantCulture,
            $"refused: {sum.Count} more between {sum.From.UtcDateTime:yyyy-MM-dd'T'HH:mm:ss'Z'} and {sum.Until.UtcDateTime:HH:mm:ss'Z'}, counted and not written down one by one. From {list}{rest}");
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            while (true)
            {
                await tally.Counted.WaitAsync(stoppingToken);
                await Task.Delay(RefusalTally.Window, time, stoppingToken);
                await TellAsync(all: false, stoppingToken);
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            await TellAsync(all: true, CancellationToken.None);
        }
    }

    private async Task TellAsync(bool all, CancellationToken cancellationToken)
    {
        var sums = tally.Take(all);
        for (int told = 0; told < sums.Length; told++)
        {
            try
            {
                await audit.WriteAsync(new AuditDraft { Actor = new Actor("nobody", null, null), Action = sums[told].Action, Target = "hub", Outcome = OutcomeOf(sums[told]) }, cancellationToken);
            }
            catch (Exception fault) when (StorageFaults.IsStorageFault(fault) || fault is OperationCanceledException)
            {
                tally.PutBack(sums[told..]);
                LogKept(logger, sums[told..].Sum(s => s.Count), fault.GetBaseException().Message);
                cancellationToken.ThrowIfCancellationRequested();
                return;
            }
        }
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "{Count} refusals were counted and the audit could not be written ({Why}); they are told with the next")]
    private static partial void LogKept(ILogger logger, long count, string why);
}
