using FailoverHub.Lab;

return await LabCommand.Create().Parse(args).InvokeAsync();
