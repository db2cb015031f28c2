using FailoverHub.Web.Operations.Planning;
using FailoverHub.Web.Operations.Running;

namespace FailoverHub.Web.Operations.Drills;

/// <summary>What became of a move that a drill asked for.</summary>
/// <param name="Moved">It succeeded.</param>
/// <param name="Detail">In words, for the step.</param>
/// <param name="MayPass">What stood in the way may be gone soon, and nothing is known that speaks against asking again.</param>
/// <param name="WasBegun">It was accepted, and ended otherwise.</param>
/// <param name="RetryAfter">A rule says how long it stays in the way; null: none does.</param>
internal readonly record struct DrillMoveTry(bool Moved, string Detail, bool MayPass, bool WasBegun, TimeSpan? RetryAfter);

/// <summary>How a drill asks for its moves: as anybody does.</summary>
/// <param name="submit">Asks for an operation.</param>
/// <param name="services">Where it is seen how it goes.</param>
/// <param name="runs">Who knows the rules.</param>
internal sealed class DrillMoves(Func<OperationRequest, Actor, CancellationToken, Task<SubmitResult>> submit, OperationServices services, OperationRuns runs)
{
    /// <summary>Asks for a move and waits for its end; where its outcome is not known, for its settlement too.</summary>
    /// <param name="request">The move.</param>
    /// <param name="actor">Whose drill it is.</param>
    /// <param name="say">Told, in words, that it is waited for what the nodes report.</param>
    /// <param name="stopping">The hub is stopping.</param>
    /// <exception cref="OperationCanceledException">The hub is stopping.</exception>
    public async Task<DrillMoveTry> TryAsync(OperationRequest request, Actor actor, Func<string, Task> say, CancellationToken stopping)
    {
        switch (await submit(request, actor, stopping))
        {
            case SubmitResult.Accepted accepted:
                var ended = await services.Feed.EndedAsync(accepted.OperationId, stopping);
                if (!ended.IsFinished)
                {
                    await say($"{DrillTarget.OfOperation(ended)} That is waited for.");
                    ended = await SettledAsync(ended, stopping) ?? ended;
                }

                // What is not known must not be asked for again, and who cancelled it does not want it.
                return new DrillMoveTry(
                    ended.Status == OperationStatus.Succeeded, DrillTarget.OfOperation(ended), ended.Status is OperationStatus.Failed or OperationStatus.TimedOut, WasBegun: true, null);
            case SubmitResult.Refused refused:
                var blocking = refused.Preview.Rules.Where(r => r.Blocks).ToList();
                return new DrillMoveTry(false, Words(refused.Preview), MayPass: true, WasBegun: false, blocking.Max(r => r.RetryAfter));
            case SubmitResult.Invalid invalid:
                return new DrillMoveTry(false, string.Join(" ", invalid.Problem.Values), MayPass: true, WasBegun: false, null);
            case SubmitResult.Unavailable unavailable:
                return new DrillMoveTry(false, unavailable.Why, MayPass: true, WasBegun: false, null);
            case var other:
                return new DrillMoveTry(false, $"It was not accepted ({other.GetType().Name}).", MayPass: false, WasBegun: false, null);
        }
    }

    /// <summary>Waits until a move has ended, or what the nodes report has settled it; five minutes at most.</summary>
    /// <returns>Null: its outcome is still not known.</returns>
    /// <exception cref="OperationCanceledException">The hub is stopping.</exception>
    public async Task<OperationView?> SettledAsync(OperationView move, CancellationToken stopping)
    {
        if (move.IsFinished)
        {
            return move;
        }

        using var late = new CancellationTokenSource(DrillPatience.Longest, services.Time);
        using var until = CancellationTokenSource.CreateLinkedTokenSource(late.Token, stopping);
        try
        {
            return await services.Feed.SettledAsync(move.Id, until.Token);
        }
        catch (OperationCanceledException) when (!stopping.IsCancellationRequested)
        {
            // A node does not come back; whoever is asked to look at it will see it.
            return null;
        }
    }

    /// <summary>What a rule says to it now, without asking for it; null: nothing stands in the way.</summary>
    public string? WhyNot(OperationRequest request) => OperationTarget.Resolve(services.Fleet.Current, request, out var problem) is { } target
        ? runs.Preview(target) is { Allowed: false } preview ? Words(preview) : null
        : problem is SubmitResult.Invalid invalid ? string.Join(" ", invalid.Problem.Values) : "The pair is not there any more.";

    private static string Words(OperationPreview preview) => string.Join(" ", preview.Rules.Where(r => r.Blocks).Select(r => $"{r.RuleId} {r.Name}: {r.Message}"));
}

/// <summary>How long a drill tries to come back, and how often. Not for more than one thread.</summary>
internal sealed class DrillPatience(TimeProvider time)
{
    /// <summary>From one look at the rules to the next.</summary>
    public static readonly TimeSpan LooksEach = TimeSpan.FromSeconds(1);

    /// <summary>So long after the first attempt nothing is tried any more.</summary>
    public static readonly TimeSpan Longest = TimeSpan.FromMinutes(5);

    /// <summary>After an operation that failed the pair is left alone for so long.</summary>
    private static readonly TimeSpan RestsAfterFailure = TimeSpan.FromSeconds(5);

    /// <summary>So many operations may fail: what fails again and again is not mended by one more.</summary>
    private const int MostBegun = 3;

    private readonly DateTimeOffset _until = time.GetUtcNow() + Longest;
    private readonly long _began = time.GetTimestamp();
    private TimeSpan _restsUntil;
    private int _begun;

    /// <summary>How often it was tried.</summary>
    public int Attempts { get; private set; }

    /// <summary>What stood in the way at first; null: nothing has yet.</summary>
    public string? First { get; private set; }

    /// <summary>Its time is over.</summary>
    public bool IsOver => time.GetElapsedTime(_began) >= Longest;

    /// <summary>It is too early to ask again, whatever the rules say.</summary>
    public bool Rests => time.GetElapsedTime(_began) < _restsUntil;

    /// <summary>For whoever watches the step.</summary>
    public string Words => $"It is tried again until {_until.UtcDateTime.ToString("HH:mm:ss", System.Globalization.CultureInfo.InvariantCulture)} UTC.";

    /// <summary>Takes in an attempt that did not succeed.</summary>
    /// <returns>It is to be tried again.</returns>
    public bool GoesOn(DrillMoveTry attempt)
    {
        Attempts++;
        First ??= attempt.Detail;
        _begun += attempt.WasBegun ? 1 : 0;
        var rest = attempt.WasBegun ? RestsAfterFailure : attempt.RetryAfter ?? TimeSpan.Zero;
        _restsUntil = time.GetElapsedTime(_began) + rest;
        return attempt.MayPass && _begun < MostBegun && !IsOver;
    }
}
