using FailoverHub.Web.Operations;
using FailoverHub.Web.Operations.Rules;

namespace FailoverHub.Web.Tests.Operations.Rules;

/// <summary>SR-11 counts people, not names.</summary>
public sealed class TwoPersonTests
{
    private static readonly Dictionary<string, Requester?> Credentials = new()
    {
        ["anna"] = new Requester.Account("anna"),
        ["bert"] = new Requester.Account("bert"),
        ["a token of anna"] = new Requester.Token(1, new Requester.Account("anna")),
        ["another token of anna"] = new Requester.Token(2, new Requester.Account("anna")),
        ["a token of bert"] = new Requester.Token(3, new Requester.Account("bert")),
        ["a token of the command line"] = new Requester.Token(4, new Requester.Machine()),
        ["another token of the command line"] = new Requester.Token(5, new Requester.Machine()),
        ["a token of which nobody noted who made it"] = new Requester.Token(6, null),
        ["another such token"] = new Requester.Token(7, null),
        ["the one-time link"] = new Requester.Machine(),
        ["somebody of an earlier version"] = null,
    };

    [Theory]
    [InlineData("anna", "anna", false)]
    [InlineData("anna", "a token of anna", false)]
    [InlineData("anna", "bert", true)]
    [InlineData("anna", "a token of bert", true)]
    [InlineData("anna", "a token of the command line", true)]
    [InlineData("anna", "the one-time link", true)]
    [InlineData("anna", "somebody of an earlier version", false)]
    [InlineData("a token of anna", "a token of anna", false)]
    [InlineData("a token of anna", "another token of anna", false)]
    [InlineData("a token of anna", "bert", true)]
    [InlineData("a token of anna", "a token of bert", true)]
    [InlineData("a token of anna", "a token of the command line", true)]
    [InlineData("a token of anna", "the one-time link", true)]
    [InlineData("a token of the command line", "a token of the command line", false)]
    [InlineData("a token of the command line", "another token of the command line", false)]
    [InlineData("a token of the command line", "the one-time link", false)]
    [InlineData("the one-time link", "the one-time link", false)]
    [InlineData("somebody of an earlier version", "bert", false)]
    [InlineData("a token of which nobody noted who made it", "anna", false)]
    [InlineData("a token of which nobody noted who made it", "a token of anna", false)]
    [InlineData("a token of which nobody noted who made it", "the one-time link", false)]
    [InlineData("a token of which nobody noted who made it", "a token of the command line", false)]
    [InlineData("a token of which nobody noted who made it", "a token of which nobody noted who made it", false)]
    [InlineData("a token of which nobody noted who made it", "another such token", false)]
    [InlineData("a token of which nobody noted who made it", "somebody of an earlier version", false)]
    [InlineData("somebody of an earlier version", "somebody of an earlier version", false)]
    public void Approving_NeedsAnotherPersonAndNotAnotherName(string asked, string approves, bool isAnother)
    {
        Assert.Equal(isAnother, Ask(asked, approves).Passed);
        Assert.Equal(isAnother, Ask(approves, asked).Passed);
    }

    [Fact]
    public void Refusal_SaysWhyTwoNamesAreOnePerson()
    {
        Assert.Contains("a token is whose account made it", Ask("anna", "a token of anna").Message, StringComparison.Ordinal);
        Assert.Contains("both are whoever runs the hub's machine", Ask("the one-time link", "a token of the command line").Message, StringComparison.Ordinal);
        Assert.Contains("Revoke it and make another one", Ask("anna", "another such token").Remedy, StringComparison.Ordinal);
        Assert.All(new[] { Ask("anna", "anna"), Ask("anna", "another such token"), Ask("the one-time link", "the one-time link"), Ask("anna", "somebody of an earlier version") }, rule => Assert.Equal(("SR-11", 403, false), (rule.RuleId, rule.HttpStatus, rule.CanOverride)));
    }

    [Fact]
    public void WhomNobodyCouldApprove_IsWhoeverIsNotKnown_AndIsToldWhatToDo()
    {
        foreach (var (name, behind) in Credentials)
        {
            var rule = ApprovalRules.NobodyCanApprove(OperationRig.Switchover(), new Actor(name, null, null) { Behind = behind });
            Assert.Equal(behind?.Person is null, rule is { Passed: false, RuleId: "SR-11", HttpStatus: 403, CanOverride: false });
        }

        Assert.Contains("Revoke it and make another one", ApprovalRules.NobodyCanApprove(OperationRig.Switchover(), new Actor("old", null, null) { Behind = Credentials["another such token"] })!.Remedy, StringComparison.Ordinal);
        Assert.Contains("signed in with an account", ApprovalRules.NobodyCanApprove(OperationRig.Switchover(), new Actor("anna", null, null))!.Remedy, StringComparison.Ordinal);
    }

    [Fact]
    public void Name_ThatWasGivenToAnotherAccount_IsAnotherPerson() =>
        Assert.True(ApprovalRules.TwoPerson(OperationRig.Switchover(), new Actor("anna", null, null) { Behind = new Requester.Account("1") }, new Actor("anna", null, null) { Behind = new Requester.Account("2") }).Passed);

    private static RuleResult Ask(string asked, string approves) =>
        ApprovalRules.TwoPerson(OperationRig.Switchover(), new Actor(asked, null, null) { Behind = Credentials[asked] }, new Actor(approves, null, null) { Behind = Credentials[approves] });
}
