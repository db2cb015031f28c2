using System.Net;
using FailoverHub.Web.Data;
using FailoverHub.Web.Operations;
using Microsoft.AspNetCore.Identity;
using Microsoft.Extensions.Options;

namespace FailoverHub.Web.Access.SignIn;

/// <summary>
/// Looks at passwords, so many at once over everybody: hashing one keeps a processor busy for a tenth of a second, and whoever asks for it needs no rights. Some
/// wait; the rest are told at once to come again. Whoever is signed in waits in a line of his own, so that no flood of strangers keeps him from working.
/// </summary>
internal sealed partial class PasswordChecks : IDisposable
{
    /// <summary>Of those who wait or are looked at, from one address (a /64 of IPv6).</summary>
    public const int PerCaller = 4;

    /// <summary>Behind those that are looked at. Two seconds' work at most.</summary>
    public const int Waiting = 16;

    /// <summary>When whoever was sent away may come again.</summary>
    public static readonly TimeSpan ComeAgainAfter = TimeSpan.FromSeconds(3);

    private readonly PasswordHasher<HubUser> _hasher;
    private readonly ILogger<PasswordChecks> _logger;

    /// <summary>Verified when there is no such account, so that the answer takes as long.</summary>
    private readonly string _decoy;

    private readonly Line _strangers;
    private readonly Line _signedIn;

    public PasswordChecks(IOptions<PasswordHasherOptions> hashing, TimeProvider time, ILogger<PasswordChecks> logger)
    {
        _hasher = new PasswordHasher<HubUser>(hashing);
        _decoy = _hasher.HashPassword(new HubUser(), Secret.New());
        _logger = logger;
        (_strangers, _signedIn) = (new Line(AtOnce, time), new Line(1, time));
    }

    /// <summary>Half of the processors, one at least: the other half is for those who are let in already.</summary>
    public static int AtOnce => Math.Max(1, Environment.ProcessorCount / 2);

    /// <summary>Waits for a turn; null: too many wait already. Whoever has one gives it back.</summary>
    /// <param name="actor">Who asks, and from where.</param>
    /// <param name="isSignedIn">He is let in already, and gives his password once more.</param>
    /// <param name="gone">Stops waiting.</param>
    public async Task<Turn?> EnterAsync(Actor actor, bool isSignedIn, CancellationToken gone)
    {
        Line line = isSignedIn ? _signedIn : _strangers;
        string caller = isSignedIn ? actor.Name : AccessLimits.CallerOf(IPAddress.TryParse(actor.RemoteAddress, out IPAddress? address) ? address : null);
        if (!line.Places.TryEnter(caller, out bool isNews))
        {
            if (isNews)
            {
                LogBusy(_logger, AtOnce, Waiting, PerCaller);
            }

            return null;
        }

        try
        {
            await line.Turns.WaitAsync(gone);
        }
        catch (OperationCanceledException)
        {
            line.Places.Leave(caller);
            throw;
        }

        return new Turn(this, line, caller);
    }

    public void Dispose()
    {
        _strangers.Turns.Dispose();
        _signedIn.Turns.Dispose();
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "More passwords are tried than the hub looks at: {AtOnce} at once, {Waiting} wait, {PerCaller} of one address. The rest are told to come again. Told once a minute")]
    private static partial void LogBusy(ILogger logger, int atOnce, int waiting, int perCaller);

    /// <summary>Its owner looks at a password now.</summary>
    internal sealed class Turn(PasswordChecks checks, Line line, string caller) : IDisposable
    {
        private int _left;

        /// <summary>Whether the password opens the account. Takes as long for one that has none, or that is not to be looked at (null).</summary>
        public bool IsRight(HubUser? account, string password)
        {
            string? hash = account?.PasswordHash;
            return checks._hasher.VerifyHashedPassword(account ?? new HubUser(), hash ?? checks._decoy, password) != PasswordVerificationResult.Failed && hash is not null;
        }

        public void Dispose()
        {
            if (Interlocked.Exchange(ref _left, 1) == 0)
            {
                line.Turns.Release();
                line.Places.Leave(caller);
            }
        }
    }

    /// <summary>Those who wait, and how many of them are looked at.</summary>
    internal sealed class Line(int atOnce, TimeProvider time)
    {
        public SemaphoreSlim Turns { get; } = new(atOnce);

        public ConnectionPlaces Places { get; } = new(PerCaller, atOnce + Waiting, time);
    }
}
