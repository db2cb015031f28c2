using FailoverHub.Web.Access;
using FailoverHub.Web.Access.Tokens;
using FailoverHub.Web.Access.Users;
using FailoverHub.Web.History;
using FailoverHub.Web.History.Retention;
using FailoverHub.Web.Identity;
using FailoverHub.Web.Operations;
using FailoverHub.Web.Tests.Configuration;

namespace FailoverHub.Web.Tests.Access;

/// <summary>What only an admin may change is changed for nobody else, whatever page or call forgot to ask; each attempt is in the audit.</summary>
[Trait("Kind", "Hub")]
public sealed class NounRightsTests(SharedHub shared) : IClassFixture<SharedHub>
{
    private const Rights AllButOne = Rights.All & ~Rights.Administer;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public static TheoryData<string, string> Changes => new()
    {
        { "token create", "token-created" },
        { "token revoke", "token-revoked" },
        { "join token create", "join-token-created" },
        { "join token withdraw", "join-token-withdrawn" },
        { "retention", "retention-changed" },
        { "user create", "user-created" },
        { "user roles", "user-roles-changed" },
        { "user lock", "user-locked" },
        { "user unlock", "user-unlocked" },
        { "user password", "user-password-reset" },
        { "user second factor", "user-second-factor-reset" },
        { "user remove", "user-removed" },
        { "node revoke", NodeChanges.Revoked },
        { "node rename", NodeChanges.Renamed },
        { "node remove", NodeChanges.Removed },
    };

    [Theory]
    [MemberData(nameof(Changes))]
    public async Task WithoutTheRight_NothingChangesAndTheAttemptIsAudited(string change, string action)
    {
        WholeHub hub = shared.Fresh();
        Actor actor = WholeHub.Tester with { Name = $"tester-{Guid.NewGuid():N}", Rights = AllButOne };
        AccountView account = await AccountAsync(hub);
        await TokenAsync(hub);
        JoinTokenInfo join = (await hub.Get<JoinTokens>().CreateAsync(new JoinTokenRequest(null, false, JoinTokens.DefaultLifetime), WholeHub.Tester, Stop)).Info!;
        string before = await StateAsync(hub);

        string? why = await TryAsync(hub, change, account, join, actor);

        Assert.True(why is null or Actor.NeedsAdmin, why);
        Assert.Equal(before, await StateAsync(hub));
        AuditEntry entry = Assert.Single((await hub.Get<IHistory>().AuditAsync(new HistoryFilter { Actor = actor.Name }, null, 50, Stop)).Items);
        Assert.Equal((action, $"refused: {Actor.NeedsAdmin}"), (entry.Action, entry.Outcome));
    }

    [Fact]
    public async Task WithTheRightAlone_ItIsDone()
    {
        WholeHub hub = shared.Fresh();
        Actor actor = WholeHub.Tester with { Rights = Rights.Administer };

        Assert.NotNull((await hub.Get<ApiTokens>().CreateAsync("right-alone", ApiScope.Read, TimeSpan.FromDays(1), actor, Stop)).Token);
        Assert.True(await hub.Get<ApiTokens>().RevokeAsync("right-alone", actor, Stop));
        Assert.Null(await hub.Get<RetentionSettings>().ChangeAsync(RetentionPeriods.Default, actor, Stop));
    }

    /// <returns>Why not, where the noun says it; null: it answers no more than "no".</returns>
    private static async Task<string?> TryAsync(WholeHub hub, string change, AccountView account, JoinTokenInfo join, Actor actor)
    {
        Accounts accounts = hub.Get<Accounts>();
        NodeChanges nodes = hub.Get<NodeChanges>();
        switch (change)
        {
            case "token create": return (await hub.Get<ApiTokens>().CreateAsync("mine", ApiScope.Admin, TimeSpan.FromDays(1), actor, Stop)).Problem;
            case "token revoke": Assert.False(await hub.Get<ApiTokens>().RevokeAsync("there", actor, Stop)); return null;
            case "join token create": return (await hub.Get<JoinTokens>().CreateAsync(new JoinTokenRequest(null, false, JoinTokens.DefaultLifetime), actor, Stop)).Problem;
            case "join token withdraw": Assert.False(await hub.Get<JoinTokens>().WithdrawAsync(join.Id, actor, Stop)); return null;
            case "retention": return await hub.Get<RetentionSettings>().ChangeAsync(RetentionPeriods.Default with { ProbeHours = 2 }, actor, Stop);
            case "user create": return (await accounts.CreateAsync("mallory", [HubRoles.Admin], null, onlyAsFirst: false, actor, Stop)).Problem;
            case "user roles": return (await accounts.SetRolesAsync(account, [HubRoles.Admin], actor, Stop)).Problem;
            case "user lock": return (await accounts.LockAsync(account, actor, Stop)).Problem;
            case "user unlock": return (await accounts.UnlockAsync(account, actor, Stop)).Problem;
            case "user password": return (await accounts.ResetPasswordAsync(account, true, actor, Stop)).Problem;
            case "user second factor": return (await accounts.ResetSecondFactorAsync(account, actor, Stop)).Problem;
            case "user remove": return (await accounts.RemoveAsync(account, actor, Stop)).Problem;
            case "node revoke": return Assert.IsType<NodeChange.Forbidden>(await nodes.RevokeAsync("web-1", "stolen", actor, Stop)).Why;
            case "node rename": return Assert.IsType<NodeChange.Forbidden>(await nodes.RenameAsync("web-1", "lon-a", "new names", actor, Stop)).Why;
            default: return Assert.IsType<NodeChange.Forbidden>(await nodes.RemoveAsync("web-1", "sold", actor, Stop)).Why;
        }
    }

    private static async Task<AccountView> AccountAsync(WholeHub hub)
    {
        Accounts accounts = hub.Get<Accounts>();
        if (await accounts.FindAsync("anna", Stop) is { } there)
        {
            return there;
        }

        Assert.True((await accounts.CreateAsync("anna", [HubRoles.Viewer], null, onlyAsFirst: false, WholeHub.Tester, Stop)).Succeeded);
        return (await accounts.FindAsync("anna", Stop))!;
    }

    private static async Task TokenAsync(WholeHub hub)
    {
        if (!(await hub.Get<ApiTokens>().ListAsync(Stop)).Any(t => t.Name == "there"))
        {
            await hub.TokenAsync("there", ApiScope.Read);
        }
    }

    private static async Task<string> StateAsync(WholeHub hub) => string.Join(
        Environment.NewLine,
        [
            .. (await hub.Get<Accounts>().ListAsync(Stop)).Select(a => $"{a.Name} {string.Join(',', a.Roles)} {a.IsLocked} {a.PasswordIsTemporary}"),
            .. (await hub.Get<ApiTokens>().ListAsync(Stop)).Select(t => $"{t.Name} {t.Scope}"),
            .. (await hub.Get<JoinTokens>().ListAsync(Stop)).Select(t => $"{t.Id} {t.WithdrawnAt}"),
            $"{await hub.Get<RetentionSettings>().ReadAsync(Stop)}",
        ]);
}
