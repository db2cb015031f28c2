using System.Collections.Concurrent;
using System.Net;
using FailoverHub.Web.Access.Refusals;
using FailoverHub.Web.History;
using FailoverHub.Web.Operations;

namespace FailoverHub.Web.Access.Tokens;

/// <summary>What comes of a token that a request brings. A closed family.</summary>
internal abstract record TokenVerdict
{
    private TokenVerdict()
    {
    }

    /// <summary>It is good.</summary>
    public sealed record Good(ApiTokenUse Use) : TokenVerdict;

    /// <summary>It opens nothing; which of the reasons it is, the audit knows.</summary>
    public sealed record Refused : TokenVerdict;

    /// <summary>Too many that open nothing came from this address: it was not looked up.</summary>
    public sealed record TooOften : TokenVerdict;
}

/// <summary>
/// Lets requests in by their token, and keeps a trace of those that it does not let in. A token that was revoked or has expired is named in the audit: somebody
/// still has it. One that was never made is a mistake or a guess; an address that has sent too many is not looked up for the rest of the minute, unless
/// its token was good before: of two scripts behind one address the wrong one does not stop the right one.
/// </summary>
internal sealed class TokenGate(ApiTokens tokens, TokenUses uses, WrongApiTokens wrong, AccessAudit audit, TimeProvider time)
{
    /// <summary>Action of the audit entries.</summary>
    public const string Action = "api-request";

    /// <summary>An ended token is named by an entry of its own once in so long; in between its uses are counted and told by the minute.</summary>
    public static readonly TimeSpan NamedEvery = TimeSpan.FromHours(1);

    // Both are bounded by the number of tokens that were ever made: only what was found in the database gets in.
    private readonly ConcurrentDictionary<string, bool> _wasGood = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, long> _namedAt = new(StringComparer.Ordinal);

    /// <summary>Looks a token up.</summary>
    /// <param name="token">As it came.</param>
    /// <param name="address">From where.</param>
    /// <param name="actor">Nobody yet, with the addresses for the audit.</param>
    /// <param name="target">What was asked for.</param>
    /// <param name="cancellationToken">Stops it.</param>
    public async Task<TokenVerdict> AdmitAsync(string token, IPAddress? address, Actor actor, string target, CancellationToken cancellationToken)
    {
        string hash = Secret.Hash(token);
        if (wrong.IsBlocked(address, out bool isNews) && !_wasGood.ContainsKey(hash))
        {
            await RefuseAsync(actor, target, "too many tokens that open nothing came from this address; the rest of this minute's are counted and not looked up", isNews, cancellationToken);
            return new TokenVerdict.TooOften();
        }

        ApiTokenFound? found = await tokens.FindAsync(token, cancellationToken);
        if (found is { Ended: null })
        {
            _wasGood[hash] = true;
            uses.Note(found.Name);
            return new TokenVerdict.Good(found.Use);
        }

        _wasGood.TryRemove(hash, out _);
        if (found is { Ended: { } why })
        {
            await NameAsync(hash, Draft(actor with { Name = found.Use.ActorName }, target, $"the token '{found.Name}' {why}"), cancellationToken);
        }
        else
        {
            wrong.Note(address);
            await RefuseAsync(actor, target, "the token is not one of this hub", true, cancellationToken);
        }

        return new TokenVerdict.Refused();
    }

    /// <summary>Keeps that somebody who is known asked for what his token or cookie does not allow.</summary>
    public Task RefuseAsync(Actor actor, string target, string why, CancellationToken cancellationToken) => RefuseAsync(actor, target, why, true, cancellationToken);

    private Task RefuseAsync(Actor actor, string target, string why, bool byItself, CancellationToken cancellationToken)
    {
        if (byItself)
        {
            return audit.TryRefuseAsync(Draft(actor, target, why), cancellationToken);
        }

        audit.Count(Action, actor);
        return Task.CompletedTask;
    }

    // Once in an hour for each token there ever was: that is its bound, and no flood of others takes its entry away.
    private async Task NameAsync(string hash, AuditDraft draft, CancellationToken cancellationToken)
    {
        bool known = _namedAt.TryGetValue(hash, out long before);
        if (known && time.GetElapsedTime(before) < NamedEvery)
        {
            audit.Count(Action, draft.Actor);
            return;
        }

        // Taken before it is written, so that of many at once one is; given back when it could not be.
        long now = time.GetTimestamp();
        if (!(known ? _namedAt.TryUpdate(hash, now, before) : _namedAt.TryAdd(hash, now)))
        {
            audit.Count(Action, draft.Actor);
            return;
        }

        bool written = false;
        try
        {
            written = await audit.TryRefuseAsync(draft, cancellationToken, always: true);
        }
        finally
        {
            if (!written)
            {
                _namedAt.TryRemove(hash, out _);
            }
        }
    }

    private static AuditDraft Draft(Actor actor, string target, string why) => new() { Actor = actor, Action = Action, Target = target, Outcome = $"refused: {why}" };
}
