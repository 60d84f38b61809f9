-- Drives Neovim as its user does, and writes what the user then has as JSON to
-- $RESULT. A step that goes wrong is told there as "error" and ends the script.
-- It runs beside the editor's main loop, so that keys and answers of the server
-- come in while it waits.

local result = {}
local limit = tonumber(vim.env.LIMIT_MS)

local function await(what, condition)
  local deadline = vim.loop.now() + limit
  while true do
    local value = condition()
    if value then
      return value
    end
    if vim.loop.now() > deadline then
      error("not seen in time: " .. what .. "\n" .. vim.api.nvim_exec("messages", true))
    end
    coroutine.yield()
  end
end

local function press(keys)
  vim.api.nvim_input(keys)
end

local function lines()
  return vim.api.nvim_buf_get_lines(0, 0, -1, true)
end

local function edit(file)
  vim.cmd("edit " .. file)
  await("a server for " .. file, function()
    return next(vim.lsp.buf_get_clients(0))
  end)
end

-- at puts the cursor on text in the buffer.
local function at(text)
  vim.fn.cursor(1, 1)
  if vim.fn.search("\\V" .. text, "c") == 0 then
    error("there is no " .. text .. " in " .. vim.fn.bufname())
  end
end

-- findings are those of the buffer, as "line:column code", from 1.
local function findings()
  local found = {}
  for _, d in ipairs(vim.diagnostic.get(0)) do
    table.insert(found, string.format("%d:%d %s", d.lnum + 1, d.col + 1, d.user_data.lsp.code))
  end
  table.sort(found)
  return table.concat(found, ", ")
end

local function awaitFindings(want)
  await(want == "" and "no findings" or want, function()
    result.findings = findings() -- for who reads why it failed
    return result.findings == want
  end)
end

-- float is the text of the window that shows a hover.
local function float()
  for _, window in ipairs(vim.api.nvim_list_wins()) do
    if vim.api.nvim_win_get_config(window).relative ~= "" then
      return table.concat(vim.api.nvim_buf_get_lines(vim.api.nvim_win_get_buf(window), 0, -1, true), "\n")
    end
  end
end

-- request asks about the buffer as it is. By the buffer's own number Neovim first
-- sends the changes that it still holds back; by 0 it does not.
local function request(method)
  local _, client = next(vim.lsp.buf_get_clients(0))
  local params = { textDocument = vim.lsp.util.make_text_document_params() }
  local answer = client.request_sync(method, params, limit, vim.api.nvim_get_current_buf())
  if not answer or answer.err then
    error(method .. ": " .. vim.inspect(answer))
  end
  return answer.result
end

local function diagnose()
  edit("access/policy.csv")
  awaitFindings("5:26 put_without_patch")
  result.opened = findings()
  press("Gop, editor, /files, get<Esc>")
  awaitFindings("5:26 put_without_patch, 9:20 method_case")
  result.typed = findings()
end

local function cure()
  vim.ui.select = function(choices, options, choose)
    result.actions = vim.tbl_map(options.format_item, choices)
    choose(choices[1], 1)
  end
  vim.lsp.buf.code_action()
  awaitFindings("5:26 put_without_patch")
  result.cured = lines()[9]
end

local function hover()
  at("viewer, /reports")
  vim.lsp.buf.hover()
  result.hover = await("a hover", float)
  press("ix<BS><Esc>") -- which closes it
  await("the end of the hover", function()
    return not float()
  end)
end

local function complete()
  press("Gop, editor, /<C-x><C-o>")
  await("a menu", function()
    return vim.fn.pumvisible() == 1
  end)
  result.completion = vim.tbl_map(function(item)
    return item.word
  end, vim.fn.complete_info({ "items" }).items)
  press("<Esc>dd")
  await("the end of the menu", function()
    return vim.fn.mode() == "n" and vim.fn.line("$") == 9
  end)
end

local function navigate()
  at("editor, /reports")
  vim.lsp.buf.references()
  result.references = await("references", function()
    local list = vim.fn.getqflist()
    return #list > 0 and vim.tbl_map(function(item)
      return string.format("%s:%d:%d", vim.fn.fnamemodify(vim.fn.bufname(item.bufnr), ":t"), item.lnum, item.col)
    end, list)
  end)
  table.sort(result.references) -- Neovim has files in any order
  vim.cmd("cclose")
  vim.fn.setqflist({})
  at("PUT")
  vim.lsp.buf.definition()
  await("the model", function()
    return vim.fn.expand("%:t") == "model.conf"
  end)
  result.definition = vim.api.nvim_get_current_line():sub(vim.fn.col("."))
end

local function rename()
  edit("access/policy.csv")
  at("editor, /reports")
  vim.lsp.buf.rename("author")
  await("the new name", function()
    return vim.fn.search("\\<editor\\>", "nw") == 0 and vim.fn.bufnr("access/policy.tests") > 0
  end)
  result.policy = lines()
  edit("access/policy.tests")
  result.tests = lines()
end

-- test makes a test fail, and pass again.
local function test()
  awaitFindings("")
  press("ggcwdeny<Esc>")
  awaitFindings("1:1 test_failed")
  result.failed = findings()
  press("u")
  awaitFindings("")
end

local function format()
  edit("access/policy.csv")
  if vim.lsp.buf.format then
    vim.lsp.buf.format({ timeout_ms = limit })
  else
    vim.lsp.buf.formatting_sync(nil, limit)
  end
  result.formatted = lines()
end

local function ask()
  result.folds = request("textDocument/foldingRange")
  result.tokens = request("textDocument/semanticTokens/full").data
  result.servers = #vim.lsp.get_active_clients()
end

local function script()
  for _, step in ipairs({ diagnose, cure, hover, complete, navigate, rename, test, format, ask }) do
    step()
  end
end

local thread = coroutine.create(script)
local timer = vim.loop.new_timer()
timer:start(0, 10, vim.schedule_wrap(function()
  if coroutine.status(thread) ~= "suspended" then
    return -- it is in a call that lets other events in
  end
  local ok, problem = coroutine.resume(thread)
  if ok and coroutine.status(thread) ~= "dead" then
    return
  end
  if not ok then
    result.error = debug.traceback(thread, problem)
  end
  timer:stop()
  vim.fn.writefile({ vim.fn.json_encode(result) }, vim.env.RESULT)
  vim.cmd("qall!")
end))
