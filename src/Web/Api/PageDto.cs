namespace FailoverHub.Web.Api;

/// <summary>One page of a list.</summary>
/// <param name="Items">The items.</param>
/// <param name="NextCursor">Give it back as cursor for the next page; null: this was the last.</param>
public sealed record PageDto<T>(IReadOnlyList<T> Items, string? NextCursor);
