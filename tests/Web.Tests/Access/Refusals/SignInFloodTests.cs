using System.Net;
using FailoverHub.Web.Access;
using FailoverHub.Web.Access.Refusals;
using FailoverHub.Web.Access.SignIn;
using FailoverHub.Web.Access.Users;
using FailoverHub.Web.History;
using FailoverHub.Web.Operations;
using FailoverHub.Web.Tests.Configuration;
using Microsoft.AspNetCore.Identity;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;
using static FailoverHub.Web.Tests.Access.AccountTests;

namespace FailoverHub.Web.Tests.Access.Refusals;

/// <summary>Strangers at many addresses who try passwords: what they may cost the hub, and whom they do not keep out.</summary>
[Trait("Kind", "Hub")]
public sealed class SignInFloodTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Passwords_AreLookedAtSoManyAtOnceSoManyWaitAndTheRestAreSentAway()
    {
        using PasswordChecks checks = Checks();
        var looked = new List<PasswordChecks.Turn>();
        for (int i = 0; i < PasswordChecks.AtOnce; i++)
        {
            looked.Add((await checks.EnterAsync(Stranger(i), false, Stop))!);
        }

        List<Task<PasswordChecks.Turn?>> waiting = [.. Enumerable.Range(100, PasswordChecks.Waiting).Select(i => checks.EnterAsync(Stranger(i), false, Stop))];
        Task<PasswordChecks.Turn?> sentAway = checks.EnterAsync(Stranger(200), false, Stop);

        Assert.DoesNotContain(waiting, w => w.IsCompleted);
        Assert.Null(await sentAway);
        looked[0].Dispose();
        looked[0].Dispose();
        using PasswordChecks.Turn? next = await waiting[0];
        Assert.NotNull(next);
        Assert.False(waiting[1].IsCompleted);
    }

    [Fact]
    public async Task OneAddress_CannotTakeEveryPlaceAndWhoeverLeavesGivesHisBack()
    {
        using PasswordChecks checks = Checks();
        var held = new List<PasswordChecks.Turn?>();
        for (int i = 0; i < PasswordChecks.AtOnce; i++)
        {
            held.Add(await checks.EnterAsync(Stranger(100 + i), false, Stop));
        }

        using var gone = new CancellationTokenSource();
        List<Task<PasswordChecks.Turn?>> his = [.. Enumerable.Range(0, PasswordChecks.PerCaller).Select(_ => checks.EnterAsync(Stranger(1), false, gone.Token))];
        Assert.Null(await checks.EnterAsync(Stranger(1), false, Stop));
        Task<PasswordChecks.Turn?> other = checks.EnterAsync(Stranger(2), false, Stop);
        Assert.False(other.IsCompleted);

        await gone.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => Task.WhenAll(his));
        held[0]!.Dispose();
        using PasswordChecks.Turn? turn = await other;
        Task<PasswordChecks.Turn?> again = checks.EnterAsync(Stranger(1), false, Stop);
        turn!.Dispose();

        Assert.NotNull(await again);
    }

    [Fact]
    public async Task WhileStrangersTakeEveryTurn_ASignedInPersonALinkAndATokenWorkAndAPasswordIsToldToComeAgain()
    {
        await using WholeHub hub = await WholeHub.StartAsync();
        using var crowd = new Crowd(hub);
        await CreateAsync(hub, "anna", HubRoles.Operator);
        HttpClient signedIn = crowd.At(1);
        (await SignInAsync(signedIn, "anna")).Dispose();
        HttpClient script = await hub.ScriptAsync(ApiScope.Read);
        string link = await hub.Get<SignInCodes>().CreateAsync(WholeHub.Tester, Stop);

        using (await TakeEveryTurnAsync(hub))
        {
            using HttpResponseMessage stranger = await SignInAsync(crowd.At(2), "anna");
            using HttpResponseMessage byLink = await WholeHub.PressSignInAsync(crowd.At(3), link);
            AccountResult confirmed = await hub.Get<OwnAccount>().ChangePasswordAsync(await FindAsync(hub, "anna"), "not it", "another good password", null, new Actor("anna", "192.0.2.1", null), Stop);

            Assert.Equal(HttpStatusCode.ServiceUnavailable, stranger.StatusCode);
            Assert.Equal(PasswordChecks.ComeAgainAfter, stranger.Headers.RetryAfter?.Delta);
            Assert.Contains("as many passwords as it can", await stranger.Content.ReadAsStringAsync(Stop), StringComparison.Ordinal);
            Assert.Equal(HttpStatusCode.Redirect, byLink.StatusCode);
            Assert.Equal(HttpStatusCode.OK, (await signedIn.GetAsync("/api/v1/pairs", Stop)).StatusCode);
            Assert.Equal(HttpStatusCode.OK, (await script.GetAsync("/api/v1/pairs", Stop)).StatusCode);
            Assert.Equal(Credentials.Wrong, confirmed.Problem);
        }

        using HttpResponseMessage afterwards = await SignInAsync(crowd.At(2), "anna");
        Assert.Equal(HttpStatusCode.Redirect, afterwards.StatusCode);
        Assert.Contains(await AuditAsync(hub, "sign-in"), a => a.Outcome.Contains("this one was not", StringComparison.Ordinal) && a.RemoteAddress == Crowd.Address(2).ToString());
    }

    [Fact]
    public async Task ThreeHundredAddressesThatGuess_FillSixtyEntriesAndOneThatTellsTheNumberOfTheRest()
    {
        const int Strangers = 300;
        var clock = new FakeTimeProvider(DateTimeOffset.FromUnixTimeMilliseconds(DateTimeOffset.UtcNow.ToUnixTimeMilliseconds()));
        await using WholeHub hub = await WholeHub.StartAsync(builder => builder.Services.AddSingleton<TimeProvider>(clock));
        using var crowd = new Crowd(hub);
        await CreateAsync(hub, "anna", HubRoles.Viewer);
        int[] answers = new int[600];

        await Parallel.ForEachAsync(Enumerable.Range(0, Strangers), new ParallelOptions { MaxDegreeOfParallelism = 8, CancellationToken = Stop }, async (i, _) =>
        {
            using HttpResponseMessage answer = await SignInAsync(crowd.At(i), $"guess-{i}");
            Interlocked.Increment(ref answers[(int)answer.StatusCode]);
        });
        HttpClient person = crowd.At(Strangers);
        using HttpResponseMessage wrong = await SignInAsync(person, "anna", "not the password");
        using HttpResponseMessage right = await SignInAsync(person, "anna");
        IReadOnlyList<AuditEntry> entries = await crowd.ToldAsync("sign-in", clock);

        // What counts against an account, and who comes in, is never only a number.
        Assert.Single(entries, a => a is { Outcome: "refused: the password is wrong", Target: "user anna" });
        Assert.Single(entries, a => a is { Outcome: "accepted", Actor: "anna" });
        AuditEntry sum = Assert.Single(entries, Crowd.IsSum);
        Assert.StartsWith($"refused: {Strangers - RefusalTally.OneByOne} more between ", sum.Outcome, StringComparison.Ordinal);
        Assert.Equal(("nobody", "hub"), (sum.Actor, sum.Target));
        Assert.Equal(RefusalTally.OneByOne, entries.Count(a => a.Outcome.StartsWith("refused: no such user", StringComparison.Ordinal)));
        Assert.Single(entries, a => a.Outcome.EndsWith(AccessAudit.RestIsCounted, StringComparison.Ordinal));
        Assert.Equal(Strangers, answers[403]);
        Assert.Equal(HttpStatusCode.Redirect, right.StatusCode);
        Assert.True((await hub.Get<IHistory>().VerifyAuditAsync(Stop)).Intact);
    }

    [Fact]
    public async Task HubThatStops_TellsTheNumberBefore()
    {
        string data = WholeHub.NewFolder();
        var reports = new List<string>();
        await using (WholeHub hub = await WholeHub.StartAsync(data: data))
        {
            hub.Get<HistoryChanges>().Audited += draft => reports.Add(draft.Outcome);
            Actor stranger = Stranger(1);
            for (int i = 0; i < RefusalTally.OneByOne + 5; i++)
            {
                await hub.Get<Credentials>().RefuseAsync(stranger, "hub", "no such user", Stop);
            }
        }

        Assert.Single(reports, outcome => outcome.StartsWith("refused: 5 more between ", StringComparison.Ordinal));
    }

    [Fact]
    public async Task ManyGuessesAtOnce_AreNotLookedAtAfterTheFifth()
    {
        await using WholeHub hub = await WholeHub.StartAsync();
        await CreateAsync(hub, "anna", HubRoles.Viewer);
        var credentials = hub.Get<Credentials>();

        await Task.WhenAll(Enumerable.Range(0, PasswordChecks.Waiting).Select(i => credentials.CheckPasswordAsync("anna", $"guess {i}", Stranger(i), Stop)));
        CredentialResult right = await credentials.CheckPasswordAsync("anna", Password, Stranger(100), Stop);

        Assert.Null(right.User);
        int looked = (await AuditAsync(hub, "sign-in")).Count(a => a.Outcome.StartsWith("refused: the password is wrong", StringComparison.Ordinal));
        Assert.InRange(looked, LockOut.Attempts, LockOut.Attempts + PasswordChecks.AtOnce - 1);
    }

    private static async Task<Held> TakeEveryTurnAsync(WholeHub hub)
    {
        var checks = hub.Get<PasswordChecks>();
        var looked = new List<PasswordChecks.Turn>();
        for (int i = 0; i < PasswordChecks.AtOnce; i++)
        {
            looked.Add((await checks.EnterAsync(Stranger(i), false, Stop))!);
        }

        return new Held(looked, [.. Enumerable.Range(100, PasswordChecks.Waiting).Select(i => checks.EnterAsync(Stranger(i), false, Stop))]);
    }

    private static Actor Stranger(int number) => new("nobody", $"192.0.2.{number}", null);

    private static PasswordChecks Checks() => new(Options.Create(new PasswordHasherOptions { IterationCount = 1 }), TimeProvider.System, NullLogger<PasswordChecks>.Instance);

    /// <summary>Strangers who are looked at for as long as the test wants, and those who wait behind them.</summary>
    private sealed class Held(List<PasswordChecks.Turn> looked, List<Task<PasswordChecks.Turn?>> waiting) : IDisposable
    {
        public void Dispose()
        {
            looked.ForEach(turn => turn.Dispose());

            // Each gives its turn to the one behind.
            waiting.ForEach(turn => turn.ContinueWith(t => t.Result!.Dispose(), CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default));
        }
    }
}
